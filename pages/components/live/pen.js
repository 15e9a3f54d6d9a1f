// The pen: strokes as a 28×28 image, the same bytes as `digits/ink/pen.py` draws.
//
// A pixel's ink is how deep its centre lies within the pen's path: `radius + 1/2 - distance to the nearest line`,
// between 0 and 1. Every operation is one that IEEE 754 rounds the same everywhere, in the same order as in Python.
export const IMAGE_SIZE = 28
const BOX_SIDE = 20
const PEN_WIDTH = 2.6
const CENTRE = 14.5 // where MNIST's centres of mass lie, from the corner
const REACH = PEN_WIDTH / 2 + 0.5 // pixels from a line to where its ink ends
const PIXELS = IMAGE_SIZE * IMAGE_SIZE

const squares = new Float64Array(PIXELS) // each pixel's squared distance to the nearest line

// Draws strokes, each a Float32Array x, y, x, y, …, in a box of 20×20 pixels, on 28×28 by their centre of mass.
//
// `smallest`, in pixels of the sheet: a drawing smaller than this is a dot and is not enlarged to fill the box.
// Returns { image, scale, centre }: Uint8Array(784) with ink 255; image pixels for one of the sheet; and [x, y] of the
// point of the sheet that came to the image's centre.
export function draw(strokes, smallest) {
  let [left, top, right, foot] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const points of strokes) {
    for (let at = 0; at < points.length; at += 2) {
      left = Math.min(left, points[at])
      right = Math.max(right, points[at])
      top = Math.min(top, points[at + 1])
      foot = Math.max(foot, points[at + 1])
    }
  }
  const [width, height] = [right - left, foot - top]
  const scale = (BOX_SIDE - PEN_WIDTH) / Math.max(width, height, smallest)
  const middle = [(left + right) / 2, (top + foot) / 2]
  const first = render(strokes, middle, scale)
  const mass = centreOfMass(first)
  const centre = [width, height].map((extent, axis) => {
    const offset = (mass[axis] + 0.5 - CENTRE) / scale
    // The digit must stay whole on the 28×28, even where its mass lies far to one side.
    const slack = ((IMAGE_SIZE - PEN_WIDTH - extent * scale) / 2 - 0.5) / scale
    return middle[axis] + Math.max(-slack, Math.min(slack, offset))
  })
  return { image: render(strokes, centre, scale), scale, centre }
}

function render(strokes, [x, y], scale) {
  squares.fill(Infinity)
  for (const points of strokes) {
    let startX = (points[0] - x) * scale + CENTRE
    let startY = (points[1] - y) * scale + CENTRE
    if (points.length === 2) drawLine(startX, startY, startX, startY)
    for (let at = 2; at < points.length; at += 2) {
      const endX = (points[at] - x) * scale + CENTRE
      const endY = (points[at + 1] - y) * scale + CENTRE
      drawLine(startX, startY, endX, endY)
      startX = endX
      startY = endY
    }
  }
  // The nearest line gives the most ink, so one square root a pixel is enough.
  const image = new Uint8Array(PIXELS)
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    const depth = REACH - Math.sqrt(squares[pixel])
    if (depth > 0) image[pixel] = Math.floor(255 * Math.min(depth, 1) + 0.5)
  }
  return image
}

function drawLine(startX, startY, endX, endY) {
  const left = Math.max(Math.floor(Math.min(startX, endX) - REACH), 0)
  const right = Math.min(Math.floor(Math.max(startX, endX) + REACH), IMAGE_SIZE - 1)
  const top = Math.max(Math.floor(Math.min(startY, endY) - REACH), 0)
  const foot = Math.min(Math.floor(Math.max(startY, endY) + REACH), IMAGE_SIZE - 1)
  const dx = endX - startX
  const dy = endY - startY
  const length = dx * dx + dy * dy || 1
  for (let row = top; row <= foot; row++) {
    const py = row + 0.5 - startY
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - startX
      const along = Math.max(0, Math.min(1, (px * dx + py * dy) / length))
      const awayX = px - along * dx
      const awayY = py - along * dy
      const square = awayX * awayX + awayY * awayY
      const pixel = row * IMAGE_SIZE + column
      if (square < squares[pixel]) squares[pixel] = square
    }
  }
}

// Returns [x, y] of the mean pixel weighted by ink, from sums of whole numbers.
function centreOfMass(image) {
  let [mass, x, y] = [0, 0, 0]
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    const ink = image[pixel]
    mass += ink
    x += ink * (pixel % IMAGE_SIZE)
    y += ink * Math.floor(pixel / IMAGE_SIZE)
  }
  return [x / Math.max(1, mass), y / Math.max(1, mass)]
}
