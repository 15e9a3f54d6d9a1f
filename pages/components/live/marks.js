// Marks: what the strokes alone say about a glyph that is no digit, as `digits/ink/marks.py` does.
import { pathLength, unitedBox } from "./strokes.js"

const DOT_SHARE = 1 / 28 // of the sheet's shorter side
const DOT_PENS = 0.45 // pen widths
const LONGEST_BEGINNING = 2.5 // the length of the path over the longer side of its box

// Returns whether strokes are only a dot: a tap or a short tick of the pen.
export function isDot(strokes, shorterSide, penWidth) {
  return extentOf(strokes) < Math.max(DOT_SHARE * shorterSide, DOT_PENS * penWidth)
}

// Returns whether strokes that are no digit may become one with another stroke.
export function isBeginning(strokes, dot) {
  if (strokes.length > 1) return false
  return dot || pathLength(strokes[0].points) < LONGEST_BEGINNING * extentOf(strokes)
}

// The longer side of the box around the pen's path, in pixels of the sheet.
function extentOf(strokes) {
  const [x0, y0, x1, y1] = unitedBox(strokes.map(stroke => stroke.box))
  return Math.max(Math.fround(x1 - x0), Math.fround(y1 - y0)) // float32, as the server's strokes are
}
