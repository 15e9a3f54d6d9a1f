// The steps from the ink to the network's input: three pictures side by side. The server sends them for its answer; while
// the pen is down, and ever after in this browser, they are painted here from `digits:reading` (see answer.js).
const [SIDE, IMAGE, BOX, PEN] = [224, 28, 20, 2.6]
const UNIT = SIDE / IMAGE
const [INK, FRAME] = ["#000", "#c2621a"]

export default function ({ data: { pictures, captions, serial }, parentElement }) {
  const list = parentElement.querySelector(".steps")
  list.serial = serial
  if (!list.children.length) build(list, captions)
  list.querySelectorAll(".place").forEach((place, number) => {
    const [shown, image] = [pictures[number], place.firstChild]
    for (const [name, text] of [["role", "img"], ["aria-label", shown?.alt]]) shown ? place.setAttribute(name, text) : place.removeAttribute(name)
    if (!shown?.picture) image.removeAttribute("src")
    else if (image.getAttribute("src") !== shown.picture) image.src = shown.picture
  })
  list.classList.toggle("painted", serial !== null && Boolean(list.isPainted) && (pictures.length > 0 || list.isDown))
  if (list.follow) return
  list.follow = ({ detail }) => paint(list, detail)
  list.clear = ({ detail: { isEmpty, isDown } }) => {
    list.isDown = isDown
    if (isEmpty) list.classList.remove("painted")
  }
  window.addEventListener("digits:reading", list.follow)
  window.addEventListener("digits:ink", list.clear)
  return () => {
    window.removeEventListener("digits:reading", list.follow)
    window.removeEventListener("digits:ink", list.clear)
    list.follow = null
  }
}

function build(list, captions) {
  captions.forEach((caption, place) => {
    const arrow = Object.assign(document.createElement("li"), { className: "arrow", textContent: "→" })
    arrow.setAttribute("aria-hidden", "true")
    const step = Object.assign(document.createElement("li"), { className: "step" })
    step.innerHTML = `<span class="place"><img alt=""><canvas width="${SIDE}" height="${SIDE}"></canvas></span><span class="caption"></span>`
    step.querySelector(".caption").textContent = caption
    list.append(...(place ? [arrow] : []), step)
  })
}

function paint(list, { reading: { digits }, ink, chosen }) {
  const digit = digits[chosen]
  if (!digit || list.serial === null) return
  list.isPainted = true
  list.classList.add("painted")
  const [found, fitted, seen] = [...list.querySelectorAll("canvas")].map(canvas => canvas.getContext("2d"))
  paintFound(found, ink, digit)
  paintFitted(fitted, ink, digit)
  paintSeen(seen, digit.image)
}

// The whole sheet with a box around the digit.
function paintFound(brush, { strokes, widths, size: [width, height] }, { box: [x0, y0, x1, y1] }) {
  const scale = SIDE / Math.max(width, height)
  const top = (SIDE - scale * height) / 2
  brush.clearRect(0, 0, SIDE, SIDE)
  brush.fillStyle = "#fff"
  brush.fillRect(0, top, SIDE, scale * height)
  strokes.forEach((points, place) => line(brush, points, ([x, y]) => [scale * x, top + scale * y], scale * widths[place]))
  frame(brush, scale * x0 - 4, top + scale * y0 - 4, scale * (x1 - x0) + 8, scale * (y1 - y0) + 8)
}

// The digit's strokes in the box of 20×20, before they become pixels.
function paintFitted(brush, { strokes }, digit) {
  const own = digit.strokes.map(place => strokes[place])
  const flat = own.flatMap(points => [...points])
  const [xs, ys] = [0, 1].map(axis => flat.filter((_, place) => place % 2 === axis))
  const middle = [xs, ys].map(values => (Math.min(...values) + Math.max(...values)) / 2)
  const move = point => point.map((value, axis) => (value - middle[axis]) * digit.scale * UNIT + SIDE / 2)
  brush.fillStyle = "#fff"
  brush.fillRect(0, 0, SIDE, SIDE)
  for (const points of own) line(brush, points, move, PEN * UNIT)
  const margin = ((IMAGE - BOX) / 2) * UNIT
  frame(brush, margin, margin, BOX * UNIT, BOX * UNIT)
}

// The 28×28 pixels that the network is given.
function paintSeen(brush, image) {
  image.forEach((ink, place) => {
    brush.fillStyle = `rgb(${255 - ink} ${255 - ink} ${255 - ink})`
    brush.fillRect((place % IMAGE) * UNIT, Math.floor(place / IMAGE) * UNIT, UNIT, UNIT)
  })
}

function line(brush, points, move, width) {
  Object.assign(brush, { lineCap: "round", lineJoin: "round", lineWidth: width, strokeStyle: INK })
  brush.beginPath()
  for (let place = 0; place < points.length; place += 2) {
    const [x, y] = move([points[place], points[place + 1]])
    place ? brush.lineTo(x, y) : brush.moveTo(x, y)
  }
  if (points.length === 2) brush.lineTo(...move(points))
  brush.stroke()
}

function frame(brush, ...box) {
  Object.assign(brush, { lineWidth: 2, strokeStyle: FRAME })
  brush.strokeRect(...box)
}
