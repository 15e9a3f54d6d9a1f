// Writing without a pointer: examples and typed digits. This text stands after that of sheet.js, in one module; before both stand the
// EXAMPLES, the strokes of each digit.

const PACE = 0.9 // pixels a millisecond at which an example is written

// Digits that are typed on the sheet are drawn, those that follow soon beside them.
let [typed, lastTyped] = ["", 0]
const type = event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === "Backspace" || event.key === "Delete") obey({ detail: { what: event.key === "Delete" ? "clear" : "undo" } })
  else if (event.key in EXAMPLES) {
    typed = event.timeStamp - lastTyped < 2000 && strokes().length ? (typed + event.key).slice(-8) : event.key
    lastTyped = event.timeStamp
    finish()
    write(typed)
  } else return
  event.preventDefault()
}

// Lays the strokes of a number out in the middle of the sheet.
function layOut(text) {
  const { size: [width, height], pen } = sheet.data
  const boxes = [...text].map(name => EXAMPLES[name].map(pairs))
  const ends = boxes.map(drawn => drawn.flat().reduce(([x, y], [a, b]) => [Math.max(x, a), Math.max(y, b)], [0, 0]))
  const gap = 50
  const total = ends.reduce((sum, [x]) => sum + x, gap * (text.length - 1))
  const tallest = Math.max(...ends.map(([, y]) => y))
  const scale = Math.min(1, (width - 60) / total, (height - 100) / tallest)
  let left = (width - scale * total) / 2
  return boxes.flatMap((drawn, place) => {
    const moved = drawn.map(stroke => stroke.map(([x, y]) => [left + scale * x, (height - scale * tallest) / 2 + scale * y]))
    left += scale * (ends[place][0] + gap)
    return moved.map(curve => ({ points: simplify(curve), width: pen, curve }))
  })
}

// Writes a number on the sheet, as fast as a hand would.
function write(text) {
  const whole = layOut(text)
  const milliseconds = Math.min(2500, lengthOf(whole) / PACE)
  const start = performance.now()
  const isCalm = window.matchMedia("(prefers-reduced-motion: reduce)").matches
  push([])
  sheet.example = () => {
    sheet.example = null
    sheet.replay = null
    sheet.states[sheet.at] = whole
    changed()
  }
  sheet.states[sheet.at] = whole
  const step = now => {
    if (!sheet.example) return
    sheet.replay = (now - start) / milliseconds
    if (isCalm || sheet.replay >= 1) return sheet.example()
    paint()
    tell()
    requestAnimationFrame(step)
  }
  step(start)
}

// A faint digit that writes itself on the empty sheet.
function showGhost(paper, { size: [width, height] }) {
  const svg = paper.querySelector(".ghost")
  if (svg.hasAttribute("viewBox")) return
  const points = pairs(EXAMPLES["7"].flat())
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
  const across = Math.max(...points.map(([x]) => x))
  const down = Math.max(...points.map(([, y]) => y))
  svg.querySelector("g").setAttribute("transform", `translate(${(width - across) / 2} ${(height - down) / 2})`)
  svg.querySelector("path").setAttribute("d", "M" + points.map(([x, y]) => `${x} ${y}`).join("L"))
}
