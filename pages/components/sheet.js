// The sheet: keeps the strokes that the pen draws on the canvas above it, shows them, and tells the server and the page.
//
// The canvas catches the pointer and paints the stroke that is being drawn. Everything else happens here, because the
// canvas can neither bring back what was cleared nor show another drawing without the server. Its own buttons and its own
// copy of the finished strokes are hidden.
//
// The texts of connection.js, kept.js, curves.js, codec.js, delivery.js, writing.js and pictures.js stand with this one in one
// module.
//
// On the window it listens to `digits:do`, {what: "undo" | "redo" | "clear" | "write" | "hello" | "focus", text},
// {what: "replay", share}, {what: "trace", shares, reply} and {what: "link", reply}, and says after every change `digits:ink`,
// {strokes, widths, isDown, isEmpty, canUndo, canRedo, serial, size}. A stroke is a Float32Array x, y, x, y, … in the sheet's
// pixels; `strokes` includes the one under the pen.

const HIDDEN = new CSSStyleSheet()
HIDDEN.replaceSync(`
  .dc-toolbar { display: none !important }
  .lower-canvas { visibility: hidden } /* still laid out: the canvas measures pointers by it */
  .canvas-root { width: 100%; aspect-ratio: 7 / 5 }
  .dc-root, .dc-scroll, .dc-container, .canvas-container, canvas { width: 100% !important; height: 100% !important }
  .dc-canvas { outline: none !important }
  .upper-canvas { touch-action: none }
`)
const FARTHEST = 4000 // pixels; the server takes no larger coordinates

// What is on the sheet. It outlives the element: another page may be shown meanwhile.
const sheet = { states: [[]], at: 0, serial: 0, token: null, raw: null, resting: null, timer: 0, replay: null }
const strokes = () => sheet.states[sheet.at]
const shown = () => (sheet.replay === null ? strokes() : beginning(strokes(), sheet.replay))
const flat = stroke => (stroke.flat ??= Float32Array.from(stroke.points))

export default function ({ data, parentElement, setStateValue }) {
  const paper = parentElement.querySelector(".paper")
  sheet.data = data
  sheet.send = drawing => setStateValue("drawing", drawing)
  sheet.paper = paper
  sheet.serial = Math.max(sheet.serial, data.received)
  if (sheet.token !== data.given.token) adopt(data)
  else if (!paper.isReady && data.received < sheet.serial) send({ atOnce: true }) // another page was shown before the drawing had arrived
  if (!paper.isReady) prepare(paper)
  showGhost(paper, data)
  paint()
  tell()
  return () => {
    if (sheet.paper !== paper) return
    finish()
    clearInterval(paper.watch)
    leaveVisitor()
    window.removeEventListener("digits:do", obey)
    document.removeEventListener("keydown", shortcuts)
    document.removeEventListener("paste", pasted)
    paper.resized.disconnect()
    paper.isReady = false
  }
}

// Takes over a drawing from the server: a link's. What was there before can be had again by Undo.
function adopt(data) {
  const isFirst = sheet.token === null
  const isNewServer = !isFirst && data.received === 0 && strokes().length > 0 // it was restarted, and knows less than we do
  sheet.token = data.given.token
  if (isNewServer) return send({ atOnce: true })
  const given = data.given.strokes.map(points => ({ points, width: data.pen }))
  const kept = isFirst && keptOverReload(STORE)
  if (kept) Object.assign(sheet, kept)
  else if (isFirst) sheet.states = [given]
  const isSame = areSame(given, strokes())
  if (kept && !isSame) return send({ atOnce: true }) // it had not got into the address yet
  if (!isSame) push(given)
  if (data.received < sheet.serial) send({ atOnce: true }) // what was drawn last will not arrive any more
}

// The drawing and what can be undone outlive a reload of this tab.
const STORE = "digits-sheet"

function keep() {
  const states = sheet.states.map(drawn => drawn.map(({ points, width }) => ({ points, width })))
  keepOverReload(STORE, { states, at: sheet.at })
}

const areSame = (one, other) => JSON.stringify(one.map(s => s.points)) === JSON.stringify(other.map(s => s.points))

function push(next) {
  sheet.states = [...sheet.states.slice(0, sheet.at + 1), next].slice(-200)
  sheet.at = sheet.states.length - 1
}

function change(next) {
  push(next)
  changed()
}

function changed() {
  keep()
  paint()
  send()
  tell()
}

function tell() {
  const wet = sheet.raw ? [wetStroke()] : []
  const drawn = [...shown(), ...wet]
  sheet.paper.classList.toggle("empty", drawn.length === 0)
  const words = sheet.paper.querySelector(".words")
  const text = drawn.length === 0 ? "The sheet is empty." : drawn.length === 1 ? "One stroke." : `${drawn.length} strokes.`
  if (!sheet.raw && words.textContent !== text) words.textContent = text
  const detail = {
    strokes: drawn.map(flat), widths: drawn.map(s => s.width), isDown: Boolean(sheet.raw) || sheet.replay !== null, isEmpty: drawn.length === 0,
    canUndo: sheet.at > 0 || Boolean(sheet.raw), canRedo: sheet.at < sheet.states.length - 1, serial: sheet.serial,
    size: sheet.data.size,
  }
  window.dispatchEvent(new CustomEvent("digits:ink", { detail }))
}

const obey = ({ detail }) => {
  if (detail.what === "hello") return tell()
  if (detail.what === "focus") return sheet.paper.focus({ preventScroll: true, focusVisible: false })
  if (detail.what === "trace") return detail.reply(detail.shares.map(share => beginning(strokes(), share).map(flat)))
  if (detail.what === "link") return detail.reply(strokes().length ? encode(strokes().map(s => pairs(s.points))) : "")
  if (detail.what === "replay") {
    sheet.replay = detail.share < 1 ? detail.share : null
    paint()
    return tell()
  }
  finish()
  if (detail.what === "write") return write(detail.text)
  if (detail.what === "clear" && strokes().length) return change([])
  const step = { undo: -1, redo: 1 }[detail.what] ?? 0
  if (!step || !sheet.states[sheet.at + step]) return
  sheet.at += step
  changed()
}

const isField = element => element?.isContentEditable || /^(input|textarea|select)$/i.test(element?.tagName ?? "")

const shortcuts = event => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || isField(event.composedPath()[0])) return
  const key = event.key.toLowerCase()
  const what = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : ""
  if (!what) return
  event.preventDefault()
  obey({ detail: { what } })
}

// Listens to the pen on the element that holds both the canvas and the paper, so that the first stroke may come before the
// canvas has loaded.
function prepare(paper) {
  const place = paper.getRootNode().host?.closest(`.st-key-draw-sheet`) ?? paper
  paper.isReady = true
  watchVisitor()
  window.addEventListener("digits:do", obey)
  document.addEventListener("keydown", shortcuts)
  document.addEventListener("paste", pasted)
  paper.addEventListener("keydown", type)
  place.addEventListener("pointerdown", down, true)
  for (const name of ["pointermove", "pointerup", "pointercancel", "lostpointercapture"]) place.addEventListener(name, move, true)
  place.addEventListener("dragover", hover)
  place.addEventListener("dragleave", () => sheet.paper.classList.remove("dropping"))
  place.addEventListener("drop", dropped)
  paper.resized = new ResizeObserver(paint)
  paper.resized.observe(paper)
  paper.watch = setInterval(dressCanvas, 100)
  dressCanvas()
}

function dressCanvas() {
  if (sheet.canvas?.isConnected) return
  const parts = document.querySelectorAll(`.${sheet.data.canvas} *`)
  const root = [...parts].map(part => part.shadowRoot).find(shadow => shadow?.querySelector("canvas.upper-canvas"))
  sheet.canvas = root?.querySelector("canvas.upper-canvas")
  if (root) root.adoptedStyleSheets = [...new Set([...root.adoptedStyleSheets, HIDDEN])]
}

const at = event => {
  const box = sheet.paper.getBoundingClientRect()
  const [width, height] = sheet.data.size
  const point = [((event.clientX - box.left) * width) / box.width, ((event.clientY - box.top) * height) / box.height]
  return point.map(value => Math.max(-FARTHEST, Math.min(FARTHEST, value)))
}

const down = event => {
  if (!event.isPrimary || event.button !== 0) return
  finish()
  if (sheet.resting) clearTimeout(sheet.timer) // the pen rests no longer
  const target = event.composedPath()[0]
  // Without this, a pen released over a greyed button or outside the window would go on drawing.
  target.setPointerCapture?.(event.pointerId)
  sheet.pointer = event.pointerId
  sheet.raw = [at(event)]
  sheet.pen = sheet.data.pen
  sheet.isOurs = target !== sheet.canvas // the canvas is still loading, so nobody else paints the stroke
  sheet.paper.focus({ preventScroll: true, focusVisible: false })
  if (sheet.isOurs) paint()
  tell()
}

const move = event => {
  if (!sheet.raw || event.pointerId !== sheet.pointer) return
  if (event.type !== "pointermove" || (event.pointerType === "mouse" && !(event.buttons & 1))) {
    if (event.type === "pointerup") follow(event)
    return finish()
  }
  follow(event)
  if (sheet.isOurs || sheet.pen !== sheet.data.pen) paint()
  tell()
}

function follow(event) {
  const [point, last] = [at(event), sheet.raw.at(-1)]
  if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= 0.4) sheet.raw.push(point)
}

// Ends the stroke or the example that is being drawn, if there is one.
function finish() {
  sheet.replay = null
  if (sheet.example) return sheet.example()
  if (!sheet.raw) return
  const stroke = wetStroke()
  sheet.raw = null
  change([...strokes(), stroke])
}

function wetStroke() {
  const curve = flatten(sheet.raw)
  return { points: simplify(curve), width: sheet.pen, curve }
}

function paint() {
  const canvas = sheet.paper.querySelector(".ink")
  const [width, height] = sheet.data.size
  const { clientWidth, clientHeight } = sheet.paper
  const sharpness = window.devicePixelRatio || 1
  const [across, down] = [Math.round(clientWidth * sharpness), Math.round(clientHeight * sharpness)]
  if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down })
  const brush = canvas.getContext("2d")
  brush.setTransform(across / width, 0, 0, down / height, 0, 0)
  brush.clearRect(0, 0, width, height)
  Object.assign(brush, { lineCap: "round", lineJoin: "round", strokeStyle: sheet.data.ink })
  const wet = sheet.raw && (sheet.isOurs || sheet.pen !== sheet.data.pen) ? [wetStroke()] : []
  for (const stroke of [...shown(), ...wet]) line(brush, stroke)
}

function line(brush, { points, width, curve }) {
  const path = curve ?? pairs(points)
  brush.lineWidth = width
  brush.beginPath()
  brush.moveTo(...path[0])
  for (const point of path.length > 1 ? path.slice(1) : path) brush.lineTo(...point)
  brush.stroke()
}
