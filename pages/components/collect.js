// Collects drawings for a set: asks for a class, takes what is drawn after a pause, and asks for the next one.
//
// Nothing waits for the server. What is taken is kept in this tab until the server has said that it has it, and is sent
// a few at a time. Each drawing has an id, so one that arrives twice is the same. The texts of connection.js and curves.js
// stand before this one, in one module.

const SIDE = 280
const PEN = 14
const PAUSE_MS = 800 // after the last stroke
const TOGETHER = 5 // drawings are sent as soon as there are so many
const IDLE_MS = 2000 // or after a pause
const RESEND_MS = 8000
const GOALS = [5, 10, 20, 50, 100, 1000]

// added: {id, label, strokes}; removed: {id, label}; flying: {token, ids, since}; taken: {id, label}, the last one last
const desk = { set: "", added: [], removed: [], taken: [], flying: null, strokes: [], raw: null, chosen: "", skips: {} }
const newId = () => [...crypto.getRandomValues(new Uint8Array(8))].map(byte => byte.toString(16).padStart(2, "0")).join("")
const store = () => `digits-collect-${desk.set}`

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".desk")
  desk.root = root
  desk.data = data
  desk.send = batch => setStateValue("batch", batch)
  if (desk.set !== data.set) open(data.set)
  acknowledge(data.received)
  if (!root.isReady) prepare(root)
  show()
  if (desk.added.length + desk.removed.length) later()
  return () => {
    if (desk.root !== root) return
    window.removeEventListener("pagehide", deliver)
    root.resized.disconnect()
    root.isReady = false
  }
}

// Takes up a set, with what this tab has not yet sent of it.
function open(set) {
  Object.assign(desk, { set, added: [], removed: [], taken: [], flying: null, strokes: [], raw: null, chosen: "", skips: {} })
  try {
    Object.assign(desk, JSON.parse(sessionStorage.getItem(store())) ?? {})
  } catch {} // forbidden or damaged
}

function keep() {
  const { added, removed, taken } = desk
  try {
    sessionStorage.setItem(store(), JSON.stringify({ added, removed, taken: taken.slice(-200) }))
  } catch {} // forbidden, or full: it is sent all the same
}

function acknowledge(token) {
  if (!desk.flying || desk.flying.token !== token) return
  const arrived = new Set(desk.flying.ids)
  desk.added = desk.added.filter(({ id }) => !arrived.has(id))
  desk.removed = desk.removed.filter(({ id }) => !arrived.has(id))
  desk.flying = null
  keep()
}

function later(wait = IDLE_MS) {
  clearTimeout(desk.timer)
  const full = desk.added.length + desk.removed.length >= TOGETHER && !desk.flying
  desk.timer = setTimeout(deliver, full ? 0 : wait)
}

const deliver = () => {
  if (!desk.added.length && !desk.removed.length) return
  if (desk.flying && performance.now() - desk.flying.since < RESEND_MS) return later()
  if (!isConnected()) return later()
  const { added, removed } = desk
  desk.flying = { token: newId(), ids: [...added, ...removed].map(({ id }) => id), since: performance.now() }
  desk.send({ set: desk.set, token: desk.flying.token, added, removed: removed.map(({ id }) => id) })
  later(RESEND_MS)
}

// How many drawings a class has, with those that the server does not know yet.
function count(label) {
  const of = entries => entries.filter(entry => entry.label === label).length
  return (desk.data.counts[label] ?? 0) + of(desk.added) - of(desk.removed)
}

function asked() {
  if (desk.data.classes.includes(desk.chosen)) return desk.chosen
  const turn = label => count(label) + (desk.skips[label] ?? 0)
  return desk.data.classes.reduce((best, label) => (turn(label) < turn(best) ? label : best))
}

function goal() {
  const least = Math.min(...desk.data.classes.map(count))
  return GOALS.find(each => each > least) ?? GOALS.at(-1)
}

function take() {
  clearTimeout(desk.pause)
  finish()
  if (!desk.strokes.length) return
  const sample = { id: newId(), label: asked(), strokes: desk.strokes }
  desk.added.push(sample)
  desk.taken.push({ id: sample.id, label: sample.label })
  desk.strokes = []
  keep()
  show()
  later()
}

function undo() {
  clearTimeout(desk.pause)
  finish()
  if (desk.strokes.length) desk.strokes = []
  else {
    const last = desk.taken.pop()
    if (!last) return
    const isHere = desk.added.some(({ id }) => id === last.id) && !desk.flying?.ids.includes(last.id)
    if (isHere) desk.added = desk.added.filter(({ id }) => id !== last.id)
    else desk.removed.push(last)
    keep()
    later()
  }
  show()
}

function skip() {
  clearTimeout(desk.pause)
  desk.strokes = []
  const label = asked()
  desk.skips[label] = (desk.skips[label] ?? 0) + 1
  desk.chosen = ""
  show()
}

function prepare(root) {
  root.isReady = true
  const paper = root.querySelector(".paper")
  paper.onpointerdown = down
  paper.onpointermove = move
  for (const name of ["onpointerup", "onpointercancel", "onlostpointercapture"]) paper[name] = move
  paper.onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const act = { Enter: take, " ": take, Backspace: undo, ArrowRight: skip }[event.key]
    if (!act) return
    event.preventDefault()
    act()
  }
  root.querySelector(".undo").onclick = undo
  root.querySelector(".skip").onclick = skip
  root.querySelector(".take").onclick = take
  root.resized = new ResizeObserver(paint)
  root.resized.observe(paper)
  window.addEventListener("pagehide", deliver)
}

const at = event => {
  const box = desk.root.querySelector(".paper").getBoundingClientRect()
  return [((event.clientX - box.left) * SIDE) / box.width, ((event.clientY - box.top) * SIDE) / box.height]
    .map(value => Math.max(-SIDE, Math.min(2 * SIDE, value)))
}

const down = event => {
  if (!event.isPrimary || event.button !== 0) return
  event.currentTarget.setPointerCapture(event.pointerId)
  event.currentTarget.focus({ preventScroll: true, focusVisible: false })
  clearTimeout(desk.pause)
  finish()
  desk.pointer = event.pointerId
  desk.raw = [at(event)]
  paint()
}

const move = event => {
  if (!desk.raw || event.pointerId !== desk.pointer) return
  if (event.type === "pointermove") {
    desk.raw.push(at(event))
    return paint()
  }
  finish()
  desk.pause = setTimeout(take, PAUSE_MS)
  paint()
}

function finish() {
  if (desk.raw) desk.strokes.push(simplify(flatten(desk.raw)))
  desk.raw = null
}

function paint() {
  const paper = desk.root.querySelector(".paper")
  const canvas = paper.querySelector("canvas")
  const size = Math.round(paper.clientWidth * (window.devicePixelRatio || 1))
  if (canvas.width !== size) canvas.width = canvas.height = size
  const brush = canvas.getContext("2d")
  brush.setTransform(size / SIDE, 0, 0, size / SIDE, 0, 0)
  brush.clearRect(0, 0, SIDE, SIDE)
  Object.assign(brush, { lineCap: "round", lineJoin: "round", strokeStyle: desk.data.ink, lineWidth: PEN })
  for (const path of [...desk.strokes.map(pairs), ...(desk.raw ? [desk.raw] : [])]) {
    brush.beginPath()
    brush.moveTo(...path[0])
    for (const point of path.length > 1 ? path.slice(1) : path) brush.lineTo(...point)
    brush.stroke()
  }
  paper.classList.toggle("waiting", desk.strokes.length > 0 && !desk.raw)
}

function show() {
  const { root, data } = desk
  const [label, each] = [asked(), goal()]
  const [done, all] = [data.classes.reduce((sum, name) => sum + Math.min(each, count(name)), 0), each * data.classes.length]
  root.querySelector(".class").textContent = label
  const bar = root.querySelector(".progress")
  bar.setAttribute("aria-valuemax", all)
  bar.setAttribute("aria-valuenow", done)
  bar.setAttribute("aria-label", `${each} of each`)
  bar.firstElementChild.style.width = `${(100 * done) / all}%`
  const before = GOALS[GOALS.indexOf(each) - 1]
  const enough = before ? `${before} of each are there, enough to train on. Go on to ${each}, or stop here. ` : `${each} of each. `
  const words = data.problem || `${enough}${done} of ${all}.`
  const status = root.querySelector(".status")
  if (status.textContent !== words) status.textContent = words
  showClasses(root.querySelector(".classes"), label)
  paint()
}

function showClasses(place, asked) {
  const names = desk.data.classes
  if (place.children.length !== names.length || [...place.children].some((one, index) => one.name !== names[index])) {
    place.replaceChildren(...names.map(name => {
      const button = Object.assign(document.createElement("button"), { type: "button", name, title: `Draw ${name} now` })
      button.append(name, " ", document.createElement("small"))
      button.onclick = () => {
        desk.chosen = desk.chosen === name ? "" : name
        show()
      }
      return button
    }))
  }
  for (const button of place.children) {
    button.querySelector("small").textContent = count(button.name)
    button.setAttribute("aria-pressed", String(desk.chosen === button.name))
    button.classList.toggle("asked", button.name === asked)
  }
}
