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
  if (sheet.resting) deliver(sheet.resting)
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

// Whatever the visitor does beside the sheet may need the drawing.
const BESIDE = ["pointerdown", "keydown", "click"]
const OWN = ".st-key-draw-sheet, .st-key-draw-tools"

const beside = event => {
  if (!event.composedPath().some(one => one.matches?.(OWN))) hurry()
}

const hidden = () => {
  if (document.hidden) hurry()
}

function watchVisitor() {
  for (const name of BESIDE) document.addEventListener(name, beside, true)
  document.addEventListener("visibilitychange", hidden)
  window.addEventListener("popstate", hurry, true)
}

function leaveVisitor() {
  for (const name of BESIDE) document.removeEventListener(name, beside, true)
  document.removeEventListener("visibilitychange", hidden)
  window.removeEventListener("popstate", hurry, true)
  clearTimeout(sheet.timer)
}
