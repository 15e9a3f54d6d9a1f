// Strokes: what is on the sheet, checked as `digits/ink/strokes.py` checks it, and recognised again at the next move.
const MAX_STROKES = 500
const MAX_POINTS = 20_000
const MAX_COORDINATE = 4096

let lastId = 0

// The strokes of one sheet. A stroke that has not changed keeps its identity, by which others remember what they made
// of it.
export class Sheet {
  #strokes = []

  // Takes the strokes that are on the sheet now, each an array of [x, y] or a flat array x, y, …
  //
  // Returns for each { id, points, box }: its identity, a Float32Array x, y, …, and [x0, y0, x1, y1] of its points.
  // Throws an Error with a sentence for the visitor if they cannot be read.
  place(drawn) {
    const strokes = Array.from(drawn, (stroke, place) => {
      const known = this.#strokes[place]
      if (known && isSame(known.points, stroke)) return known
      return this.#strokes.find(({ points }) => isSame(points, stroke)) ?? taken(stroke)
    })
    if (strokes.length > MAX_STROKES || strokes.reduce((sum, { points }) => sum + points.length / 2, 0) > MAX_POINTS) {
      throw new Error(`A drawing may hold ${MAX_STROKES} strokes and 20,000 points; this one holds more. Clear it.`)
    }
    this.#strokes = strokes
    return strokes
  }

  // Returns whether a stroke with this identity is on the sheet.
  has(id) {
    return this.#strokes.some(stroke => stroke.id === id)
  }
}

// Returns the length of a stroke's path over all its points x, y, …
export function pathLength(points) {
  let length = 0
  for (let at = 2; at < points.length; at += 2) {
    length += Math.hypot(points[at] - points[at - 2], points[at + 1] - points[at - 1])
  }
  return length
}

// Returns the smallest box [x0, y0, x1, y1] around several boxes.
export function unitedBox(boxes) {
  const sides = [0, 1, 2, 3].map(side => boxes.map(box => box[side]))
  return sides.map((ends, side) => (side < 2 ? Math.min(...ends) : Math.max(...ends)))
}

function isSame(known, stroke) {
  if (ArrayBuffer.isView(stroke)) {
    return known.length === stroke.length && known.every((value, at) => value === Math.fround(stroke[at]))
  }
  if (known.length !== 2 * stroke.length) return false
  for (let place = stroke.length - 1; place >= 0; place--) { // mostly the end is new
    const [x, y] = stroke[place]
    if (known[2 * place] !== Math.fround(x) || known[2 * place + 1] !== Math.fround(y)) return false
  }
  return true
}

// Checks a new stroke, and gives it an identity.
function taken(stroke) {
  const points = new Float32Array(ArrayBuffer.isView(stroke) ? stroke : stroke.flat())
  if (!points.length) throw new Error("A stroke must be a list of [x, y] numbers. Draw it again.")
  const box = [Infinity, Infinity, -Infinity, -Infinity]
  for (let at = 0; at < points.length; at++) {
    const value = points[at]
    if (!(Math.abs(value) <= MAX_COORDINATE)) { // also for NaN
      throw new Error(`A stroke's coordinates must lie within ±${MAX_COORDINATE} pixels. Draw it again.`)
    }
    const axis = at % 2
    box[axis] = Math.min(box[axis], value)
    box[2 + axis] = Math.max(box[2 + axis], value)
  }
  return { id: ++lastId, points, box }
}
