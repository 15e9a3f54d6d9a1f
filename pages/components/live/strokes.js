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
    const flat = Array.from(drawn, flatten)
    check(flat)
    this.#strokes = flat.map((points, place) => {
      const known = isSame(this.#strokes[place]?.points, points)
        ? this.#strokes[place]
        : this.#strokes.find(stroke => isSame(stroke.points, points))
      return known ?? { id: ++lastId, points, box: boxOf(points) }
    })
    return this.#strokes
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
  return [0, 1, 2, 3].map(side => boxes.map(box => box[side]).reduce((a, b) => (side < 2 ? Math.min(a, b) : Math.max(a, b))))
}

function flatten(stroke) {
  if (ArrayBuffer.isView(stroke)) return Float32Array.from(stroke)
  const points = new Float32Array(2 * stroke.length)
  for (let index = 0; index < stroke.length; index++) {
    points[2 * index] = stroke[index][0]
    points[2 * index + 1] = stroke[index][1]
  }
  return points
}

function check(strokes) {
  let count = 0
  for (const points of strokes) {
    count += points.length / 2
    if (!points.length) throw new Error("A stroke must be a list of [x, y] numbers. Draw it again.")
    // also false for NaN
    if (!points.every(value => Math.abs(value) <= MAX_COORDINATE)) {
      throw new Error(`A stroke's coordinates must lie within ±${MAX_COORDINATE} pixels. Draw it again.`)
    }
  }
  if (strokes.length > MAX_STROKES || count > MAX_POINTS) {
    throw new Error(`A drawing may hold ${MAX_STROKES} strokes and 20,000 points; this one holds more. Clear it.`)
  }
}

function isSame(known, points) {
  if (known?.length !== points.length) return false
  for (let at = points.length - 1; at >= 0; at--) if (known[at] !== points[at]) return false // mostly the end is new
  return true
}

function boxOf(points) {
  const box = [Infinity, Infinity, -Infinity, -Infinity]
  for (let at = 0; at < points.length; at += 2) {
    box[0] = Math.min(box[0], points[at])
    box[1] = Math.min(box[1], points[at + 1])
    box[2] = Math.max(box[2], points[at])
    box[3] = Math.max(box[3], points[at + 1])
  }
  return box
}
