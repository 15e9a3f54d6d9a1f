// The answer: what is read, how surely, and the probability of every class. The server's answer is the final one. Until it
// has come, the card is paler: it shows what the reader in this browser makes of the strokes at every move of the pen or,
// until that reader has been fetched, the last answer.
//
// It listens to the sheet's `digits:ink` (see sheet.js) and `digits:confirmed` (see delivery.js). It says `digits:reading`,
// {reading, reader, ink}, at every move, and `digits:answer`, {serial, text, isOwn}, when an answer is final.

const SMALLEST = 0.0005
const BARS = 10
const FRAME_MS = 16.7
const PATIENCE_MS = 2500 // so long after the pen is lifted, the browser's own answer stands without the server's

const percent = share => (share >= 1 - SMALLEST ? ">99.9%" : share < SMALLEST ? "<0.1%" : `${(100 * share).toFixed(1)}%`)

export default function ({ data, parentElement, setTriggerValue }) {
  const card = parentElement.querySelector(".card")
  const state = (card.state ??= { ink: null, view: null })
  state.pick = place => setTriggerValue("picked", place)
  state.data = data
  if (data.serial !== null) openReader(state, card)
  if (!state.follow) {
    state.follow = ({ detail }) => {
      state.ink = detail
      clearTimeout(state.patience)
      if (!detail.isDown) state.patience = setTimeout(() => show(card, state), PATIENCE_MS)
      state.since = performance.now()
      state.frame ||= requestAnimationFrame(() => update(card, state))
    }
    state.confirm = ({ detail }) => {
      state.confirmed = detail
      show(card, state)
    }
    window.addEventListener("digits:ink", state.follow)
    window.addEventListener("digits:confirmed", state.confirm)
    window.dispatchEvent(new CustomEvent("digits:do", { detail: { what: "hello" } }))
  }
  show(card, state)
  return () => {
    window.removeEventListener("digits:ink", state.follow)
    window.removeEventListener("digits:confirmed", state.confirm)
    clearTimeout(state.patience)
    state.follow = null
  }
}

// Fetches the reader for the chosen model once the page is at rest. Without it, the server's answers are enough.
async function openReader(state, card) {
  const { script, model } = state.data.live
  if (state.model === model) return
  Object.assign(state, { model, reader: null, view: null })
  window.digitsReads = false // the sheet tells the server
  try {
    await new Promise(resolve => (window.requestIdleCallback ?? setTimeout)(resolve, { timeout: 3000 }))
    const { openReader } = await import(new URL(`.${script}`, window.location))
    const reader = await openReader({ model })
    if (state.model !== model) return
    state.reader = reader
    window.digitsReads = true
    if (state.ink) update(card, state)
  } catch (error) {
    console.info(`This browser does not read by itself: ${error.message}`)
  }
}

// Reads what is on the sheet, at most once a frame; after a reading that took longer than a frame, one is left out, so that
// the ink follows the pen.
function update(card, state) {
  const { ink, reader } = state
  state.rests = ink.isDown && state.took > FRAME_MS && !state.rests
  state.frame = state.rests ? requestAnimationFrame(() => update(card, state)) : 0
  if (state.rests) return
  const start = performance.now()
  if (reader && !ink.isEmpty) {
    const [width, height] = ink.size
    const reading = reader.read(ink.strokes, { width, height, penWidth: median(ink.widths), isHurried: ink.isDown })
    state.view = viewOf(reading, reader, state.data.chosen)
    window.dispatchEvent(new CustomEvent("digits:reading", { detail: { reading, reader, ink, chosen: state.view.chosen } }))
  } else state.view = null
  show(card, state)
  state.took = performance.now() - start
}

function median(widths) {
  const ordered = [...widths].sort((a, b) => a - b)
  const middle = (ordered.length - 1) / 2
  return Math.trunc((ordered[Math.floor(middle)] + ordered[Math.ceil(middle)]) / 2)
}

// Returns a reading of this browser as the server describes its own (`digits.views.answer_card`).
function viewOf({ digits, tone, headline, sentence }, { model: { classes } }, wanted) {
  const chosen = wanted < digits.length ? wanted : 0
  const named = digits.map(digit => ({
    name: tone === "unfinished" && !digit.accepted ? "…" : digit.symbol, label: digit.label, row: digit.line,
    doubtful: !digit.accepted, probabilities: [...digit.probabilities],
  }))
  if (!digits.length) return { digits: [], title: "", line: sentence, spoken: [headline, sentence], chosen, names: classes, bars: "" }
  const { probabilities } = digits[chosen]
  const order = classes.map((_, place) => place).sort((a, b) => probabilities[b] - probabilities[a])
  const shown = place => `${classes[place]} ${percent(probabilities[place])}`
  const bars = `Probabilities: ${order.slice(0, 3).map(shown).join(", ")}.`
  let [title, line] = [headline, sentence]
  if (digits.some(digit => digit.accepted)) {
    title = ""
    const about = digits[chosen].description
    const { name, either } = digits[0]
    const both = either ? `${name} or ${name.toLowerCase()}: ` : ""
    line = digits.length > 1 ? (sentence.includes(about) ? sentence : `${sentence} ${about}`)
      : `${both}${percent(probabilities[order[0]])} confidence; next: ${classes[order[1]]}, ${percent(probabilities[order[1]])}`
  }
  return { digits: named, title, line, spoken: [headline, line], bars, chosen, names: classes, tone }
}

// Returns the server's last answer: the page's, or one that it has confirmed since.
function lastAnswer({ data, confirmed }) {
  const isNewer = data.serial !== null && confirmed?.model === data.live.model && confirmed.serial > data.serial
  return isNewer ? { ...data, ...confirmed } : data
}

function show(card, state) {
  const { ink, view, pick, since } = state
  const data = lastAnswer(state)
  const isDrawing = data.serial !== null && ink
  const isLate = isDrawing && !ink.isEmpty && (ink.isDown || ink.serial > data.serial)
  const isOwn = isLate && view?.digits.length > 0 // what this browser reads
  const isFinal = !isLate || (isOwn && !ink.isDown && performance.now() - since >= PATIENCE_MS)
  const shown = isOwn ? view : data
  const isAsking = isDrawing ? ink.isEmpty : !data.digits.length
  card.classList.toggle("asking", Boolean(isAsking))
  card.classList.toggle("forming", !isFinal)
  ask(card, data)
  if (isAsking) return speak(card, ["", ""])
  say(card, shown.digits.length ? { ...shown, serial: data.serial } : waiting(data), pick)
  if (!isFinal) return
  speak(card, shown.spoken)
  const detail = { serial: isOwn ? ink.serial : data.serial, text: shown.digits.map(digit => digit.name).join(""), isOwn }
  window.dispatchEvent(new CustomEvent("digits:answer", { detail }))
}

const waiting = data => ({ ...data, tone: "unfinished", title: "", line: "Reading …", digits: [{ name: "…", label: "", doubtful: true, probabilities: data.names.map(() => 0) }], chosen: 0 })

// What a screen reader says; it is silent while the pen is down.
function speak(card, [headline, rest]) {
  set(card.querySelector(".spoken h2"), headline)
  set(card.querySelector(".spoken p"), rest)
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text
}

function say(card, { digits, chosen, title, line, names, bars, serial }, pick) {
  set(card.querySelector(".answer .title"), title)
  set(card.querySelector(".line"), line)
  const place = Math.min(chosen, digits.length - 1)
  // a picture has buttons over its digits already
  showDigits(card.querySelector(".digits"), digits, place, serial === null ? null : pick)
  showBars(card.querySelector(".bars"), digits[place], names, bars)
}

// Elements are reused, so that an answer neither flickers nor loses the focus.
function showDigits(row, digits, chosen, pick) {
  const kind = pick && digits.length > 1 ? "BUTTON" : "SPAN"
  const wanted = digits.flatMap((digit, place) => (place && digit.row !== digits[place - 1].row ? ["break", digit] : [digit]))
  const shape = wanted.map(one => (one === "break" ? "/" : kind)).join()
  if (row.dataset.shape !== shape) {
    row.dataset.shape = shape
    row.replaceChildren(...wanted.map(one => {
      const element = document.createElement(one === "break" ? "div" : kind.toLowerCase())
      element.className = one === "break" ? "break" : "digit"
      if (kind === "BUTTON" && one !== "break") element.type = "button"
      return element
    }))
  }
  const rows = Object.groupBy ? Object.values(Object.groupBy(digits, digit => digit.row ?? 0)) : [digits]
  const wide = digits.some(({ name }) => /[^0-9?…]/.test(name)) // a letter takes more room than a digit
  row.style.setProperty("--count", Math.max(...rows.map(one => one.length)) * (wide ? 0.88 : 0.72)) // em, with padding
  const elements = [...row.querySelectorAll(".digit")]
  digits.forEach(({ name, label, doubtful }, place) => {
    const element = elements[place]
    set(element, name)
    element.classList.toggle("doubtful", doubtful)
    if (kind !== "BUTTON") return
    element.title = label
    element.setAttribute("aria-label", label)
    element.setAttribute("aria-pressed", String(place === chosen))
    element.onclick = () => pick(place)
    element.onkeydown = event => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
      if (step) elements[place + step]?.focus()
    }
  })
  // What is longer than its place is scrolled with the keyboard, where no buttons lead through it.
  if (kind === "SPAN" && elements.some(({ textContent }, place) => place || textContent.length > 1) && row.scrollHeight > row.clientHeight) row.tabIndex = 0
  else row.removeAttribute("tabindex")
}

function showBars(chart, { probabilities, doubtful }, names, description) {
  const shown = likeliest(probabilities)
  if (chart.children.length !== shown.length) {
    chart.style.setProperty("--classes", shown.length)
    chart.innerHTML = shown.map(() => '<div class="row"><b></b><i></i><span></span></div>').join("")
  }
  chart.classList.toggle("doubt", doubtful)
  chart.setAttribute("aria-label", description ?? "")
  const best = probabilities.indexOf(Math.max(...probabilities))
  shown.forEach((place, row) => {
    const share = probabilities[place]
    const [name, bar, text] = chart.children[row].children
    chart.children[row].classList.toggle("best", place === best)
    set(name, names[place])
    bar.style.setProperty("--share", share.toFixed(3))
    set(text, percent(share))
  })
}

// Returns the classes that have a bar: all in their order or, of many, the likeliest.
function likeliest(probabilities) {
  const places = [...probabilities.keys()]
  return places.length <= BARS ? places : places.sort((a, b) => probabilities[b] - probabilities[a]).slice(0, BARS)
}

function ask(card, { hint, chips, game }) {
  set(card.querySelector(".empty .title"), hint.title)
  set(card.querySelector(".empty .hint"), hint.text)
  const play = card.querySelector(".play")
  play.hidden = !game
  set(play.querySelector(".long"), game)
  play.onclick = () => window.dispatchEvent(new CustomEvent("digits:game"))
  const row = card.querySelector(".chips")
  if (row.children.length === chips.length) return
  row.replaceChildren(...chips.map(text => {
    const chip = Object.assign(document.createElement("button"), { type: "button", className: "chip", innerHTML: handwritten(text) })
    chip.setAttribute("aria-label", `Draw ${text}`)
    chip.title = `Draws ${text} on the sheet`
    chip.onclick = () => window.dispatchEvent(new CustomEvent("digits:do", { detail: { what: "write", text } }))
    return chip
  }))
}

// Returns a number as it will be drawn, as SVG. The server puts EXAMPLES before this text.
function handwritten(text) {
  let left = 14
  let paths = ""
  for (const name of text) {
    let end = 0
    for (const flat of EXAMPLES[name]) {
      const points = flat.map((value, place) => (place % 2 ? value + 14 : value + left))
      end = Math.max(end, ...points.filter((_, place) => place % 2 === 0))
      paths += `<path d="M${points.join(" ")}"/>`
    }
    left = end + 50
  }
  return `<svg viewBox="0 0 ${left - 36} 268" aria-hidden="true">${paths}</svg>`
}
