// The game: ten digits in random order, each to be written as fast as one can. It is played in the browser alone.
//
// `digits:game` (see answer.js) begins it. The sheet's `digits:ink` says what is written (see sheet.js), and `digits:reading`,
// or without a reader in this browser `digits:answer`, what is read. While <html> has `data-digits-game`, the game stands in
// the answer's place (see draw.css).
//
// A digit counts at once when it is read at pen-up. Anything else may still become the digit with another stroke, so it is a
// miss only after a while. The clock rests from a digit that is read until the next one is asked for. The texts of
// connection.js, kept.js, curves.js, codec.js and links.js stand before this one, in one module.

const PATIENCE_MS = 1200 // after a pen-up that was not read as the digit
const PAUSE_MS = 450 // after a digit that was: the bar of a 7 still belongs to it
const MOST_CHARACTERS = 1700 // of a result in a link
const SIZES = [80, 48, 36, 24, 16, 12, 8] // pixels of a drawing in a link, the largest that is short enough
const BADGES = { first: "✓", again: "↻", skipped: "–" }
const WORDS = { first: "right at the first try", again: "right at a later try", skipped: "skipped" }

const STORE = "digits-game" // the result, which outlives a reload

// It outlives the element: another page may be shown meanwhile. The phase is "off", "playing", "over", or "friend" while a
// friend's result is shown.
const game = { phase: "off", turns: [], at: 0, friend: null, rival: null, ink: null, seen: new WeakSet() }

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".game")
  game.root = root
  game.model = data.model
  game.send = () => setTriggerValue("left", true)
  recall()
  meet(data.friend)
  if (!root.isReady) prepare(root)
  show()
  return () => {
    if (game.root !== root) return
    if (game.phase === "playing") stop()
    root.isReady = false
    for (const [name, listener] of Object.entries(LISTENERS)) window.removeEventListener(name, listener)
    delete document.documentElement.dataset.digitsGame
  }
}

function prepare(root) {
  root.isReady = true
  for (const [name, listener] of Object.entries(LISTENERS)) window.addEventListener(name, listener)
  root.querySelector(".play").onclick = begin
  root.querySelector(".skip").onclick = skip
  root.querySelector(".close").onclick = close
  root.querySelector(".share").onclick = share
  say("hello")
}

const say = what => window.dispatchEvent(new CustomEvent("digits:do", { detail: { what } }))

// Takes over the result from before a reload.
function recall() {
  const kept = game.isRecalled ? null : keptOverReload(STORE)
  game.isRecalled = true
  if (kept) Object.assign(game, kept, { phase: "over" })
}

// Takes over a friend's result that a link has brought.
function meet(friend) {
  if (!friend) game.left = null
  else if (friend.link === game.left) return leave(friend) // the server was away
  if (friend?.link === game.friend?.link) return
  game.friend = friend
  if (friend && game.phase !== "playing") game.phase = "friend"
  if (!friend && game.phase === "friend") game.phase = "off"
}

// Has the friend's result taken out of the page's address.
function leave(friend) {
  if (!friend) return
  game.left = friend.link
  game.friend = null
  if (isConnected()) game.send()
}

const right = ({ turns }) => turns.filter(turn => turn.mark === "first").length
const turn = () => game.turns[game.at]
const now = () => performance.now()
const copy = ink => ink.strokes.map(stroke => [...stroke])

function begin() {
  game.rival = game.friend ?? (game.phase === "over" ? game.rival : null)
  leave(game.friend)
  const names = [..."0123456789"]
  for (let last = 9; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[names[last], names[other]] = [names[other], names[last]]
  }
  keepOverReload(STORE, null)
  Object.assign(game, { phase: "playing", at: 0, spent: 0, asked: null, isRight: false, judged: null, note: "The clock starts with your first stroke." })
  game.turns = names.map(name => ({ name, mark: null, strokes: [] }))
  game.clock = setInterval(tick, 100)
  wipe()
  show()
  announce(`Write ${turn().name}. ${game.note}`)
  say("focus") // so that digits can also be typed
}

// Empties the sheet.
function wipe() {
  clearTimeout(game.patience)
  if (!game.ink || game.ink.isEmpty) return
  markSeen(game.ink)
  say("clear")
}

// Undo may bring these strokes back, but they are not judged again.
function markSeen(ink) {
  for (const stroke of ink.strokes) game.seen.add(stroke)
}

function follow({ detail: ink }) {
  const last = game.ink
  game.ink = ink
  if (game.phase !== "playing") {
    markSeen(ink)
    return last?.isEmpty !== ink.isEmpty && show()
  }
  if (!ink.isDown && ink.serial === last?.serial) return // nothing new
  clearTimeout(game.patience)
  if (game.isRight) return ink.isDown || rest(ink)
  if (!isFresh(ink)) return
  game.asked ??= now()
  if (!ink.isDown) game.lifted = now()
}

const isFresh = ink => ink.strokes.some(stroke => !game.seen.has(stroke))

// Decides what a drawing counts for, once the pen is lifted.
function judge(text, { serial, isDown, isEmpty }) {
  if (game.phase !== "playing" || game.isRight || isDown || isEmpty || serial !== game.ink?.serial || !isFresh(game.ink)) return
  if (text === turn().name) return accept()
  if (serial === game.judged) return
  game.judged = serial
  game.patience = setTimeout(() => miss(text), PATIENCE_MS)
}

function accept() {
  clearTimeout(game.patience)
  turn().mark = turn().isMissed ? "again" : "first"
  game.spent += game.lifted - game.asked
  game.isRight = true
  rest(game.ink)
  show()
}

// Waits for further strokes of a digit that has counted already.
function rest(ink) {
  if (!ink.isEmpty) turn().strokes = copy(ink)
  game.patience = setTimeout(() => next("Right."), PAUSE_MS)
}

function miss(text) {
  Object.assign(turn(), { isMissed: true, strokes: copy(game.ink) })
  game.note = text.includes("?") ? "That does not look like a digit. Try again, or skip it." : `Read as ${text.replace("\n", " and ")}. Try again, or skip it.`
  wipe()
  show()
  announce(`${game.note} Write ${turn().name}.`)
}

function skip() {
  if (game.isRight) return
  turn().mark = "skipped"
  game.spent += now() - (game.asked ?? now())
  next("Skipped.")
  if (game.phase === "playing") say("focus")
}

function next(word) {
  Object.assign(game, { at: game.at + 1, asked: now(), isRight: false, note: "" })
  wipe()
  if (game.at === game.turns.length) return end()
  show()
  announce(`${word} Write ${turn().name}.`)
}

function end() {
  clearInterval(game.clock)
  game.phase = "over"
  game.seconds = Math.round(game.spent / 100) / 10 // as it is shown, and as a friend will see it
  keepOverReload(STORE, { seconds: game.seconds, turns: game.turns, rival: game.rival })
  show()
  announce(`${titleOf(game)}. ${verdict()}`)
  game.root.querySelector(".play").focus({ preventScroll: true, focusVisible: false })
}

function stop() {
  clearInterval(game.clock)
  clearTimeout(game.patience)
  game.phase = "off"
}

function close() {
  if (game.phase === "playing") wipe()
  leave(game.friend)
  stop()
  keepOverReload(STORE, null)
  game.rival = null
  show()
  say("focus")
}

const LISTENERS = {
  "digits:game": begin,
  "digits:ink": follow,
  "digits:reading": ({ detail: { reading, ink } }) => judge(reading.text, ink),
  "digits:answer": ({ detail: { text, serial } }) => game.ink && judge(text, { ...game.ink, serial }),
}

// What is shown.

const seconds = value => `${value.toFixed(1)} s`
const titleOf = result => `Ten digits in ${seconds(result.seconds)}`
const score = result => `${right(result)} of 10 right at the first try`

function verdict() {
  const { rival } = game
  if (!rival) return `${score(game)}.`
  const lead = right(game) - right(rival) || rival.seconds - game.seconds
  const theirs = `${right(rival)} of 10 in ${seconds(rival.seconds)}`
  return `${score(game)}. ${lead > 0 ? "You win: your friend had" : "Your friend wins, with"} ${theirs}.`
}

function tick() {
  const running = game.asked === null || game.isRight ? 0 : now() - game.asked
  set(".title", seconds((game.spent + running) / 1000))
}

const set = (place, text) => {
  const element = game.root.querySelector(place)
  if (element.textContent !== text) element.textContent = text
}

const announce = text => set(".spoken", text)

function show() {
  const { root, phase } = game
  const isPlaying = phase === "playing"
  // a result gives way to the answer for whatever is drawn, and comes back when the sheet is empty
  const isShown = isPlaying || (phase !== "off" && (game.ink?.isEmpty ?? true))
  document.documentElement.toggleAttribute("data-digits-game", isShown)
  root.classList.toggle("playing", isPlaying)
  root.classList.toggle("right", Boolean(isPlaying && game.isRight))
  root.querySelector(".skip").hidden = !isPlaying
  root.querySelector(".play").hidden = isPlaying
  root.querySelector(".share").hidden = phase !== "over"
  set(".close", isPlaying ? "Stop" : "Close")
  set(".shared", "")
  root.querySelector(".link").hidden = true
  if (phase === "off") return
  const shown = phase === "friend" ? game.friend : game
  if (isPlaying) {
    set(".prompt", turn().name)
    set(".line", game.isRight ? "Right." : game.note)
    tick()
  } else {
    set(".play", phase === "friend" ? "Beat it" : "Play again")
    set(".title", phase === "friend" ? `A friend wrote ten digits in ${seconds(shown.seconds)}` : titleOf(shown))
    set(".line", phase === "friend" ? `${score(shown)}. Can you do better?` : verdict())
  }
  showTurns(root.querySelector(".turns"), shown.turns)
}

function showTurns(list, turns) {
  list.replaceChildren(...turns.map(({ name, mark, strokes }) => {
    const item = document.createElement("li")
    item.className = `turn ${mark ?? "open"}`
    if (!mark) return item
    item.title = `${name}: ${WORDS[mark]}`
    item.innerHTML = `${strokes.length ? pictureOf(strokes) : ""}<i aria-hidden="true">${BADGES[mark]}</i><span class="spoken">${item.title}</span>`
    return item
  }))
}

// Returns left, top and the longer side of a drawing.
function frameOf(strokes) {
  const points = strokes.flatMap(pairs)
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)]
  const [left, top] = [Math.min(...xs), Math.min(...ys)]
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top }
}

function pictureOf(strokes) {
  const { left, top, width, height } = frameOf(strokes)
  const scale = 100 / Math.max(width, height, 1)
  const place = ([x, y]) => `${(x - left + (Math.max(width, height) - width) / 2) * scale} ${(y - top + (Math.max(width, height) - height) / 2) * scale}`
  const paths = strokes.map(stroke => {
    const points = pairs(stroke).map(place)
    return `<path d="M${(points.length > 1 ? points : [points[0], points[0]]).join("L")}"/>`
  })
  return `<svg viewBox="-5 -5 110 110" aria-hidden="true">${paths.join("")}</svg>`
}

// The result as a link holds it: see `digits.views.games` and `digits.ink.codec`.

function resultText() {
  const tenths = Math.min(999_999, Math.round(10 * game.seconds))
  const texts = SIZES.map(size => [tenths, ...game.turns.map(turn => turnText(turn, size))].join("."))
  return texts.find(text => text.length <= MOST_CHARACTERS) ?? texts.at(-1)
}

const turnText = ({ name, mark, strokes }, size) => name + mark[0] + (strokes.length ? reduced(strokes, size) : "")

// Encodes a drawing that fits into so many pixels.
function reduced(strokes, size) {
  const { left, top, width, height } = frameOf(strokes)
  const scale = size / Math.max(width, height, 1)
  return encode(strokes.map(stroke => pairs(stroke).map(([x, y]) => [(x - left) * scale, (y - top) * scale])))
}

async function share() {
  const url = `${pageAddress()}?${new URLSearchParams({ model: game.model, game: resultText() })}`
  const field = game.root.querySelector(".link")
  const outcome = await shareLink(url)
  set(".shared", { shared: "", copied: "Link copied. It holds your time and your drawings.", forbidden: "Copy this link:" }[outcome])
  field.hidden = outcome !== "forbidden"
  field.value = url
  if (!field.hidden) field.select()
}
