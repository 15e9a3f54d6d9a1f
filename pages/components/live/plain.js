// Plain: a network's layers in JavaScript alone, for browsers without WebAssembly SIMD and pages that forbid it.

// Returns the logits, Float32Array, for the pixels of an image, Float32Array(784) in [0, 1].
export function runPlain(layers, pixels) {
  let values = pixels
  for (const layer of layers) values = layer.kind === "pooling" ? pool(layer, values) : convolve(layer, values).values
  return values
}

// Returns what a convolution or a dense layer makes of its input: { height, width, channels, values }.
export function convolve(layer, input) {
  const { height, width, inputs, outputs, side, padding, kernel, bias, relu, outHeight, outWidth } = layer
  const values = new Float32Array(outHeight * outWidth * outputs)
  const sums = new Float32Array(outputs)
  for (let y = 0, to = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++, to += outputs) {
      sums.set(bias)
      for (let row = 0; row < side; row++) {
        const fromY = y + row - padding
        if (fromY < 0 || fromY >= height) continue
        for (let column = 0; column < side; column++) {
          const fromX = x + column - padding
          if (fromX < 0 || fromX >= width) continue
          const from = (fromY * width + fromX) * inputs
          let weight = (row * side + column) * inputs * outputs
          for (let channel = 0; channel < inputs; channel++, weight += outputs) {
            const value = input[from + channel]
            if (value === 0) continue // most are, after ReLU
            for (let output = 0; output < outputs; output++) sums[output] += value * kernel[weight + output]
          }
        }
      }
      for (let output = 0; output < outputs; output++) {
        values[to + output] = relu && sums[output] < 0 ? 0 : sums[output]
      }
    }
  }
  return { height: outHeight, width: outWidth, channels: outputs, values }
}

// Returns the largest of each 2×2 places.
export function pool({ width, inputs, outHeight, outWidth }, input) {
  const values = new Float32Array(outHeight * outWidth * inputs)
  const below = width * inputs
  let to = 0
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      let from = 2 * (y * width + x) * inputs
      for (let channel = 0; channel < inputs; channel++, from++) {
        const upper = Math.max(input[from], input[from + inputs])
        values[to++] = Math.max(upper, input[from + below], input[from + below + inputs])
      }
    }
  }
  return values
}
