// Curves: what the sheet's strokes are made of. A curve is an array of points [x, y]; a stroke is {points, width, curve}, where
// `points` is flat, x, y, x, y, …, and `curve`, which may be missing, is the smoother line that is shown.
//
// This text stands before that of sheet.js, in one module.

const FLATNESS = 0.1 // pixels between a curve and the lines that replace it
const TOLERANCE = 0.7 // pixels by which leaving out points may move a line; the same as in links
const GRID = 2 // points a pixel; the same as in links

// Returns points along the smooth line that the canvas paints: quadratic curves between the middles of its steps.
function flatten(raw) {
  const points = [raw[0]]
  for (let place = 1; place < raw.length; place++) {
    const [start, control] = [points.at(-1), raw[place]]
    const next = raw[place + 1]
    if (!next) {
      points.push(control)
      break
    }
    const end = [(control[0] + next[0]) / 2, (control[1] + next[1]) / 2]
    const bend = Math.hypot(start[0] - 2 * control[0] + end[0], start[1] - 2 * control[1] + end[1])
    const pieces = Math.max(1, Math.ceil(Math.sqrt(bend / (4 * FLATNESS))))
    for (let piece = 1; piece <= pieces; piece++) {
      const t = piece / pieces
      const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2]
      points.push([a * start[0] + b * control[0] + c * end[0], a * start[1] + b * control[1] + c * end[1]])
    }
  }
  return points
}

// Returns few points on the grid, flat, whose lines stay near the curve (Ramer 1972; Douglas, Peucker 1973).
function simplify(curve, tolerance = TOLERANCE) {
  const points = curve.map(([x, y]) => [Math.round(GRID * x), Math.round(GRID * y)])
  const isKept = new Uint8Array(points.length)
  isKept[0] = isKept[points.length - 1] = 1
  const spans = [[0, points.length - 1]]
  while (spans.length) {
    const [first, last] = spans.pop()
    let [farthest, distance] = [0, tolerance * GRID]
    for (let place = first + 1; place < last; place++) {
      const away = fromLine(points[place], points[first], points[last])
      if (away > distance) [farthest, distance] = [place, away]
    }
    if (!farthest) continue
    isKept[farthest] = 1
    spans.push([first, farthest], [farthest, last])
  }
  const kept = points.filter((_, place) => isKept[place])
  const isDot = kept.every(([x, y]) => x === kept[0][0] && y === kept[0][1])
  return (isDot ? kept.slice(0, 1) : kept).flat().map(value => value / GRID)
}

function fromLine([x, y], [x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0]
  const length = dx * dx + dy * dy
  const along = length ? Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / length)) : 0
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy)
}

const pairs = flat => Array.from({ length: flat.length / 2 }, (_, place) => [flat[2 * place], flat[2 * place + 1]])

const pathOf = stroke => stroke.curve ?? pairs(stroke.points)

function lengthOf(drawn) {
  const between = path => path.slice(1).reduce((sum, [x, y], place) => sum + Math.hypot(x - path[place][0], y - path[place][1]), 1)
  return drawn.reduce((sum, stroke) => sum + between(pathOf(stroke)), 0)
}

// Returns what was drawn first of some strokes: a share of their length.
function beginning(drawn, share) {
  let left = Math.max(share * lengthOf(drawn), 1)
  const begun = []
  for (const stroke of drawn) {
    const length = lengthOf([stroke])
    if (left < length) {
      const curve = cut(pathOf(stroke), left)
      return [...begun, { points: simplify(curve), width: stroke.width, curve }]
    }
    left -= length
    begun.push(stroke)
  }
  return begun
}

// Returns the beginning of a curve, so many pixels long.
function cut(curve, length) {
  const part = [curve[0]]
  for (const point of curve.slice(1)) {
    const last = part.at(-1)
    const step = Math.hypot(point[0] - last[0], point[1] - last[1])
    if (step >= length) {
      const share = length / Math.max(step, 1e-9)
      part.push([last[0] + share * (point[0] - last[0]), last[1] + share * (point[1] - last[1])])
      return part
    }
    length -= step
    part.push(point)
  }
  return part
}
