// Drawings as text for links, as `digits.ink.codec` reads them. This text stands after that of curves.js, in one module.
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const CHARACTERS_WANTED = 2000 // some mail programs and proxies cut longer addresses
const COARSEST = 4096 // pixels

// Encodes a drawing, an array of curves; one that makes a long text is simplified further.
function encode(curves) {
  let text = ""
  for (let tolerance = TOLERANCE; tolerance < COARSEST; tolerance *= 3) {
    text = encoded(curves, tolerance)
    if (text.length <= CHARACTERS_WANTED) break
  }
  return text
}

function encoded(curves, tolerance) {
  let position = [0, 0]
  let text = "1"
  for (const curve of curves) {
    const points = pairs(simplify(curve, tolerance)).map(([x, y]) => [GRID * x, GRID * y])
    text += number(points.length)
    for (const point of points) {
      text += point.map((value, axis) => number(zigzag(value - position[axis]))).join("")
      position = point
    }
  }
  return text
}

const zigzag = value => (value >= 0 ? 2 * value : -2 * value - 1)

function number(value) {
  let text = ""
  for (; value >= 32; value = Math.floor(value / 32)) text += ALPHABET[32 + (value % 32)]
  return text + ALPHABET[value]
}
