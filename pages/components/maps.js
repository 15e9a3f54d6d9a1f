// The responses of a network's first filters: the server's picture, repainted at every move of the pen by the reader in this
// browser (see answer.js).
const [FACTOR, GAP, EDGE] = [3, 10, "#78828c"]
const INK = [27, 51, 71]

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".maps")
  const image = root.querySelector("img")
  root.columns = data.columns
  image.alt = data.alt
  if (image.getAttribute("src") !== data.picture) image.src = data.picture
  if (root.follow) return
  root.follow = ({ detail: { reading, reader, chosen } }) => {
    const digit = reading.digits[chosen]
    if (!digit) return
    const layer = reader.firstLayer(digit.image)
    if (layer.height < 2) return
    root.classList.add("live")
    paint(root.querySelector("canvas"), layer, root.columns)
  }
  window.addEventListener("digits:reading", root.follow)
  window.dispatchEvent(new CustomEvent("digits:do", { detail: { what: "hello" } }))
  return () => {
    window.removeEventListener("digits:reading", root.follow)
    root.follow = null
  }
}

// Paints all maps in one pass, in rows, scaled by the strongest response.
function paint(canvas, { height, width, channels, values }, columns) {
  const strongest = values.reduce((most, value) => Math.max(most, value), 1e-12)
  const [across, down] = [Math.min(columns, channels), Math.ceil(channels / columns)]
  const [wide, high] = [GAP + across * (width * FACTOR + GAP), GAP + down * (height * FACTOR + GAP)]
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high })
  const brush = canvas.getContext("2d")
  const small = new OffscreenCanvas(width, height)
  const pen = small.getContext("2d", { willReadFrequently: true })
  const pixels = new ImageData(width, height)
  Object.assign(brush, { imageSmoothingEnabled: false, fillStyle: "#fff", strokeStyle: EDGE, lineWidth: 2 })
  brush.fillRect(0, 0, wide, high)
  for (let channel = 0; channel < channels; channel++) {
    for (let place = 0; place < width * height; place++) {
      const share = Math.max(0, values[place * channels + channel] / strongest)
      INK.forEach((ink, colour) => (pixels.data[4 * place + colour] = 255 + share * (ink - 255)))
      pixels.data[4 * place + 3] = 255
    }
    pen.putImageData(pixels, 0, 0)
    const left = GAP + (channel % columns) * (width * FACTOR + GAP)
    const top = GAP + Math.floor(channel / columns) * (height * FACTOR + GAP)
    brush.drawImage(small, left, top, width * FACTOR, height * FACTOR)
    brush.strokeRect(left - 1, top - 1, width * FACTOR + 2, height * FACTOR + 2)
  }
}
