// Knowing: when did the model know? How its answer came about, point by point.
//
//   for await (const moment of moments(reader, strokes, { width, height, penWidth, signal })) show(moment)
//
// A moment is what the reader makes of the beginning of a drawing:
//   stroke, points  how far it goes: up to this stroke, and so many of its points
//   share           the share in (0, 1] of all the drawing's points
//   reading         as `reader.read` returns it
//   probability     of the whole drawing's answer at this moment: the product over its digits, and 0 as long as there
//                   is another number of digits
// They come in order and end with the whole drawing. They are computed while the browser is idle; `signal`, of an
// AbortController, ends them early.
const MOST = 80 // moments, more or less; a curve needs no more

export async function* moments(reader, strokes, { signal, ...sheet } = {}) {
  const own = reader.fork() // so that the reader remembers the sheet that is being drawn on
  const final = reader.fork().read(strokes, sheet)
  const counts = strokes.map(stroke => (ArrayBuffer.isView(stroke) ? stroke.length / 2 : stroke.length))
  const total = counts.reduce((sum, count) => sum + count, 0)
  const step = Math.max(1, Math.ceil(total / MOST))
  let before = 0
  for (let stroke = 0; stroke < strokes.length; stroke++) {
    const count = counts[stroke]
    for (let points = Math.min(step, count); ; points = Math.min(points + step, count)) {
      await idle()
      if (signal?.aborted) return
      const begun = [...strokes.slice(0, stroke), beginning(strokes[stroke], points)]
      const reading = own.read(begun, sheet)
      const share = (before + points) / total
      yield { stroke, points, share, reading, probability: probabilityOf(final, reading) }
      if (points === count) break
    }
    before += count
  }
}

// Returns the place of the moment from which on the answer was the last one; -1 if the last one refuses something.
export function knewAt(found) {
  const last = found.length - 1
  if (last < 0 || !found[last].reading.digits.length || found[last].reading.text.includes("?")) return -1
  let place = last
  while (place > 0 && found[place - 1].reading.text === found[last].reading.text) place--
  return place
}

function beginning(stroke, points) {
  return ArrayBuffer.isView(stroke) ? stroke.subarray(0, 2 * points) : stroke.slice(0, points)
}

function probabilityOf(final, { digits }) {
  if (digits.length !== final.digits.length) return 0
  return digits.reduce((product, digit, place) => product * digit.probabilities[final.digits[place].best], 1)
}

function idle() {
  const wait = globalThis.requestIdleCallback ?? setTimeout // Safari has no idle callbacks
  return new Promise(resolve => wait(() => resolve()))
}
