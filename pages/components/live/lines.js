// Lines of writing: which strokes stand on one line, as `lines_of_writing` in `digits/ink/pieces.py` says.
import { unitedBox } from "./strokes.js"

const LINE_GAP = 0.25 // the gap between two lines is at least this share of the higher one's height
const ROW_GAP = 0.08 // or, between two rows of several strokes each, this share
const SLOPES = Array.from({ length: 25 }, (_, step) => (step - 12) / 64) // of lines: 11 degrees either way
const LINE_HEIGHTS = 0.5 // the smaller line is at least this share of the larger one's height, or it is a separate bar

// Groups strokes, by their boxes [x0, y0, x1, y1], into lines of writing, from top to bottom.
//
// Returns for each line the rising places of its strokes. Lines that slope are separated along the slope that leaves
// most blank paper between them.
export function linesOfWriting(boxes) {
  if (!boxes.length) return []
  const level = bands(boxes)
  if (boxes.length < 4) return level
  const left = Math.min(...boxes.map(box => box[0]))
  const sheared = SLOPES.map(slope =>
    boxes.map(([x0, y0, x1, y1]) => {
      const shift = (x0 + x1) / 2 - left
      return [x0, y0 - slope * shift, x1, y1 - slope * shift]
    }),
  )
  const heights = sheared.map(inkedHeight)
  const sloping = bands(sheared[heights.indexOf(Math.min(...heights))])
  const hasWholeLines = sloping.every(members => members.length >= 2)
  return sloping.length > level.length && hasWholeLines ? sloping : level
}

// Returns the height that is not blank from side to side.
function inkedHeight(boxes) {
  let [total, end] = [0, -Infinity]
  for (const [, top, , foot] of [...boxes].sort((a, b) => a[1] - b[1])) {
    total += Math.max(0, foot - Math.max(top, end))
    end = Math.max(end, foot)
  }
  return total
}

// Groups boxes into bands with blank paper between them, and joins the bands that are one line.
function bands(boxes) {
  const found = []
  const order = boxes.map((_, place) => place).sort((a, b) => boxes[a][1] - boxes[b][1])
  for (const place of order) {
    const band = { members: [place], box: boxes[place] }
    const last = found.length - 1
    if (last >= 0 && band.box[1] <= found[last].box[3]) found[last] = merged(found[last], band)
    else found.push(band)
  }
  for (;;) {
    let nearest = -1
    for (let place = 0; place < found.length - 1; place++) {
      if (areTwoLines(found[place], found[place + 1])) continue
      if (nearest < 0 || blank(found, place) < blank(found, nearest)) nearest = place
    }
    if (nearest < 0) return found.map(({ members }) => members.sort((a, b) => a - b))
    found.splice(nearest, 2, merged(found[nearest], found[nearest + 1]))
  }
}

function blank(found, place) {
  return found[place + 1].box[1] - found[place].box[3]
}

function merged(first, second) {
  return { members: [...first.members, ...second.members], box: unitedBox([first.box, second.box]) }
}

function areTwoLines(first, second) {
  const [upper, lower] = [first.box, second.box]
  const heights = [upper[3] - upper[1], lower[3] - lower[1]]
  const [low, high] = [Math.min(...heights), Math.max(...heights)]
  const isAbove = upper[0] <= lower[2] && lower[0] <= upper[2]
  const areRows = [first, second].every(({ members, box }) => members.length > 1 && box[2] - box[0] > high)
  return isAbove && low >= LINE_HEIGHTS * high && lower[1] - upper[3] >= (areRows ? ROW_GAP : LINE_GAP) * high
}
