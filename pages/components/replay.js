// When did it know? How probable the final answer was along the drawing, and a slider that shows the drawing as it was.
//
// It reads the beginnings of the drawing with the reader that `digits:reading` brings (see answer.js).
const COUNT = 60
const say = detail => window.dispatchEvent(new CustomEvent("digits:do", { detail }))
const NOTHING = "Draw something first. The curve then shows when the answer was found."

export default function ({ parentElement }) {
  const root = parentElement.querySelector(".replay")
  if (root.follow) return
  const [found, moment] = [root.querySelector(".found"), root.querySelector(".moment")]
  const slider = root.querySelector("input")
  const state = {}
  const rest = () => {
    root.classList.add("waiting")
    found.textContent = NOTHING
    moment.textContent = ""
  }
  rest()
  root.querySelector(".grid").setAttribute("d", "M0 0H600M0 60H600")
  slider.oninput = () => {
    mark(root, slider.value)
    const share = Number(slider.value)
    say({ what: "replay", share })
    const point = state.points?.[Math.round(share * (COUNT - 1))]
    moment.textContent = point ? `After ${Math.round(100 * share)}%: ${point.words}` : ""
  }
  slider.onblur = () => say({ what: "replay", share: 1 })
  root.follow = ({ detail }) => {
    if (detail.ink.isDown || detail.ink.serial === state.serial) return
    state.serial = detail.ink.serial
    trace(root, state, detail)
  }
  root.clear = ({ detail }) => {
    if (detail.isEmpty) {
      state.serial = null
      rest()
    }
  }
  window.addEventListener("digits:reading", root.follow)
  window.addEventListener("digits:ink", root.clear)
  say({ what: "hello" })
  return () => {
    say({ what: "replay", share: 1 })
    window.removeEventListener("digits:reading", root.follow)
    window.removeEventListener("digits:ink", root.clear)
    root.follow = null
  }
}

// Reads the drawing as it was at each moment, a few at a time, so that the pen is never kept waiting.
async function trace(root, state, { reading, reader, ink: { size: [width, height], widths, serial } }) {
  const shares = Array.from({ length: COUNT }, (_, place) => (place + 1) / COUNT)
  let beginnings
  say({ what: "trace", shares, reply: given => (beginnings = given) })
  const points = []
  for (const drawn of beginnings) {
    const part = reader.read(drawn, { width, height, penWidth: widths.at(-1) })
    points.push({ share: sureOf(reading, part), text: part.text, words: part.headline })
    if (points.length % 6 === 0) await new Promise(resolve => setTimeout(resolve))
    if (state.serial !== serial) return
  }
  state.points = points
  const path = points.map(({ share }, place) => `${((place + 1) / COUNT) * 600} ${120 - 120 * share}`)
  root.querySelector(".curve").setAttribute("d", `M0 120L${path.join("L")}`)
  root.classList.remove("waiting")
  root.querySelector("input").value = 1
  mark(root, 1)
  root.querySelector(".moment").textContent = "Move the slider to see the drawing as it was."
  const isRead = reading.digits.some(digit => digit.accepted)
  const last = points.findLastIndex(({ text }) => text !== reading.text)
  const known = Math.round((100 * (last + 2)) / COUNT)
  root.querySelector(".found").textContent = isRead
    ? `${reading.text.replace("\n", ", ")} was read after ${known}% of the drawing, and from then on.` : reading.headline + "."
}

// Returns how probable the final answer was.
function sureOf(final, part) {
  if (part.digits.length !== final.digits.length) return 0
  return part.digits.reduce((share, digit, place) => share * digit.probabilities[final.digits[place].best], 1)
}

function mark(root, share) {
  const line = root.querySelector(".now")
  line.setAttribute("x1", 600 * share)
  line.setAttribute("x2", 600 * share)
}
