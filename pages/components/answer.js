// The answer: what is read, how surely, and the probability of every class. The server's answer is the final one; while the
// pen is down or the server has not answered yet, the card is paler.
//
// It listens to the sheet's `digits:ink` (see sheet.js) and says `digits:answer`, {serial, text}, when an answer is final.

const SMALLEST = 0.0005

export const percent = share =>
  share >= 0.9995 ? ">99.9%" : share < SMALLEST ? "<0.1%" : `${(100 * share).toFixed(1)}%`

export default function ({ data, parentElement, setTriggerValue }) {
  const card = parentElement.querySelector(".card")
  const state = (card.state ??= { ink: null })
  state.pick = place => setTriggerValue("picked", place)
  state.data = data
  if (!state.follow) {
    state.follow = ({ detail }) => {
      state.ink = detail
      show(card, state)
    }
    window.addEventListener("digits:ink", state.follow)
    window.dispatchEvent(new CustomEvent("digits:do", { detail: { what: "hello" } }))
  }
  show(card, state)
  return () => {
    window.removeEventListener("digits:ink", state.follow)
    state.follow = null
  }
}

function show(card, { data, ink, pick }) {
  const isDrawing = data.serial !== null && ink
  const isForming = isDrawing && !ink.isEmpty && (ink.isDown || ink.serial > data.serial)
  const isAsking = isDrawing ? ink.isEmpty || (isForming && !data.digits.length && !ink.strokes.length) : !data.digits.length
  card.classList.toggle("asking", Boolean(isAsking))
  card.classList.toggle("forming", Boolean(isForming))
  ask(card, data)
  if (isAsking) return speak(card, ["", ""])
  say(card, isForming && !data.digits.length ? waiting(data) : data, pick)
  if (isForming) return
  speak(card, data.spoken)
  const detail = { serial: data.serial, text: data.digits.map(digit => digit.name).join("") }
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
  row.style.setProperty("--count", Math.max(...rows.map(one => one.length)) * 0.62)
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
}

function showBars(chart, { probabilities, doubtful }, names, description) {
  if (chart.children.length !== names.length) {
    chart.style.setProperty("--classes", names.length)
    chart.innerHTML = names.map(() => '<div class="row"><b></b><i></i><span></span></div>').join("")
  }
  chart.classList.toggle("doubt", doubtful)
  chart.setAttribute("aria-label", description ?? "")
  const best = probabilities.indexOf(Math.max(...probabilities))
  probabilities.forEach((share, place) => {
    const [name, bar, text] = chart.children[place].children
    chart.children[place].classList.toggle("best", place === best)
    set(name, names[place])
    bar.style.setProperty("--share", share.toFixed(3))
    set(text, percent(share))
  })
}

function ask(card, { hint, chips, examples }) {
  set(card.querySelector(".empty .title"), hint.title)
  set(card.querySelector(".empty .hint"), hint.text)
  const row = card.querySelector(".chips")
  if (row.children.length === chips.length) return
  row.replaceChildren(...chips.map(text => {
    const chip = Object.assign(document.createElement("button"), { type: "button", className: "chip", innerHTML: handwritten(text, examples) })
    chip.setAttribute("aria-label", `Draw ${text}`)
    chip.title = `Draws ${text} on the sheet`
    chip.onclick = () => window.dispatchEvent(new CustomEvent("digits:do", { detail: { what: "write", text } }))
    return chip
  }))
}

// Returns a number as it will be drawn, as SVG.
function handwritten(text, examples) {
  let left = 14
  let paths = ""
  for (const name of text) {
    let end = 0
    for (const flat of examples[name]) {
      const points = flat.map((value, place) => (place % 2 ? value + 14 : value + left))
      end = Math.max(end, ...points.filter((_, place) => place % 2 === 0))
      paths += `<path d="M${points.join(" ")}"/>`
    }
    left = end + 50
  }
  return `<svg viewBox="0 0 ${left - 36} 268" aria-hidden="true">${paths}</svg>`
}
