// How a drawing gets to the server. This text stands after that of sheet.js, in one module.
//
// A browser that reads by itself has the server confirm every drawing, with a small request (`digits.views.confirmation`), and
// says the answer on the window as `digits:confirmed`, {serial, model, …}. The page, whose run costs the server several times as
// much, gets the drawing when the pen has rested, or at once when the visitor turns to anything but the sheet.

const REST_MS = 1200
const RETRY_MS = 2000
const ANSWER_MS = 2500 // so long the server may take to confirm

// Sends what is on the sheet.
function send({ atOnce = false } = {}) {
  const drawn = strokes()
  sheet.serial += 1
  const drawing = {
    token: sheet.token, serial: sheet.serial, strokes: drawn.map(s => s.points), widths: drawn.map(s => s.width),
    reads: window.digitsReads === true, // then the server need not paint what this browser has painted
  }
  clearTimeout(sheet.timer)
  if (atOnce || !drawing.reads || sheet.data.isAwaited) return deliver(drawing)
  sheet.resting = drawing
  sheet.timer = setTimeout(hurry, REST_MS)
  if (drawn.length) ask(drawing).catch(hurry)
}

// Has the server confirm what this browser reads.
async function ask({ serial, strokes, widths }) {
  const { model, chosen } = sheet.data
  const response = await fetch(new URL("./live/answer", window.location), {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ model, chosen, strokes, widths }),
    signal: AbortSignal.timeout(ANSWER_MS),
  })
  if (isBusy(response)) return // the page will have to do
  if (!response.ok) throw new Error((await response.json()).error)
  const answer = await response.json()
  if (serial !== sheet.serial) return // a later drawing is on the sheet
  window.dispatchEvent(new CustomEvent("digits:confirmed", { detail: { ...answer, serial, model } }))
}

const isBusy = ({ status }) => status === 429 || status === 503

// Gives the page the drawing that waits for the pen to rest, if there is one.
function hurry() {
  if (!sheet.resting) return
  deliver(sheet.resting)
  sheet.isLeaving = true // until Streamlit has sent it, which it does from a timer, too
  setTimeout(() => (sheet.isLeaving = false))
}

// Gives the page a drawing, again and again until it says that it has it: the connection may be down.
function deliver(drawing, wait = RETRY_MS) {
  sheet.resting = null
  clearTimeout(sheet.timer)
  if (isConnected()) sheet.send(drawing)
  sheet.timer = setTimeout(() => {
    if (sheet.data.received >= drawing.serial || drawing.serial !== sheet.serial) return
    deliver(drawing, isConnected() ? 2 * wait : RETRY_MS) // a slow server is not asked over and over
  }, wait)
}

// Whatever is pressed beside the sheet may need the drawing.
const OWN = ".st-key-draw-sheet, .st-key-draw-tools"
const isOwn = event => event.composedPath().some(one => one.matches?.(OWN))

const pressing = event => {
  if (!isOwn(event)) hurry()
}

// Holds a press back until the drawing has been sent. Streamlit would send what is pressed together with it, and then run
// only a part of the page; or a drawing that follows the change to another page would undo that change.
const pressed = event => {
  if (isOwn(event)) return
  hurry()
  if (!sheet.isLeaving) return
  const [target] = event.composedPath()
  event.preventDefault()
  event.stopImmediatePropagation()
  setTimeout(() => target.dispatchEvent(new MouseEvent("click", event)))
}

const hidden = () => {
  if (document.hidden) hurry()
}

// The browser's Back may lead to another page, where the drawing is not wanted; it is sent on the return.
const stepped = () => {
  if (!sheet.resting) return
  clearTimeout(sheet.timer)
  sheet.timer = setTimeout(hurry, REST_MS)
}

function watchVisitor() {
  document.addEventListener("pointerdown", pressing, true)
  document.addEventListener("click", pressed, true)
  document.addEventListener("visibilitychange", hidden)
  window.addEventListener("popstate", stepped, true)
}

function leaveVisitor() {
  document.removeEventListener("pointerdown", pressing, true)
  document.removeEventListener("click", pressed, true)
  document.removeEventListener("visibilitychange", hidden)
  window.removeEventListener("popstate", stepped, true)
  clearTimeout(sheet.timer)
}
