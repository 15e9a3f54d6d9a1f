// Plain: a network's layers in JavaScript alone, for browsers without WebAssembly SIMD and pages that forbid it.
const AT_ONCE = 8 // outputs, whose sums stay in registers

// Returns a function from the pixels of an image, Float32Array(784) in [0, 1], to logits, Float32Array.
export function prepare(layers) {
  const plans = layers.map(layer => (layer.kind === "pooling" ? layer : withRoom(layer)))
  return pixels => {
    let values = pixels
    for (const plan of plans) values = plan.kind === "pooling" ? pool(plan, values) : convolve(plan, values).values
    return values
  }
}

// Returns a layer whose numbers may be read beyond their end, because the last outputs may be fewer than are summed.
export function withRoom(layer) {
  const longer = numbers => {
    const roomy = new Float32Array(numbers.length + AT_ONCE)
    roomy.set(numbers)
    return roomy
  }
  return { ...layer, kernel: longer(layer.kernel), bias: longer(layer.bias) }
}

// Returns what a layer of `withRoom`, a convolution or dense, makes of its input: { height, width, channels, values }.
//
// Eight sums in variables of their own are twice as quick as sums in an array.
export function convolve(layer, input) {
  const { height, width, inputs, outputs, side, padding, kernel, bias, relu, outHeight, outWidth } = layer
  const count = outHeight * outWidth * outputs
  const values = new Float32Array(count + AT_ONCE)
  for (let y = 0, to = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++, to += outputs) {
      for (let output = 0; output < outputs; output += AT_ONCE) {
        let s0 = bias[output]
        let s1 = bias[output + 1]
        let s2 = bias[output + 2]
        let s3 = bias[output + 3]
        let s4 = bias[output + 4]
        let s5 = bias[output + 5]
        let s6 = bias[output + 6]
        let s7 = bias[output + 7]
        for (let row = 0; row < side; row++) {
          const fromY = y + row - padding
          if (fromY < 0 || fromY >= height) continue
          for (let column = 0; column < side; column++) {
            const fromX = x + column - padding
            if (fromX < 0 || fromX >= width) continue
            const from = (fromY * width + fromX) * inputs
            let at = (row * side + column) * inputs * outputs + output
            for (let channel = 0; channel < inputs; channel++, at += outputs) {
              const value = input[from + channel]
              if (value === 0) continue // most are, after ReLU
              s0 += value * kernel[at]
              s1 += value * kernel[at + 1]
              s2 += value * kernel[at + 2]
              s3 += value * kernel[at + 3]
              s4 += value * kernel[at + 4]
              s5 += value * kernel[at + 5]
              s6 += value * kernel[at + 6]
              s7 += value * kernel[at + 7]
            }
          }
        }
        // What is written beyond the last output is overwritten by the next place, or cut off at the end.
        const start = to + output
        values[start] = s0
        values[start + 1] = s1
        values[start + 2] = s2
        values[start + 3] = s3
        values[start + 4] = s4
        values[start + 5] = s5
        values[start + 6] = s6
        values[start + 7] = s7
      }
    }
  }
  if (relu) for (let at = 0; at < count; at++) if (values[at] < 0) values[at] = 0
  return { height: outHeight, width: outWidth, channels: outputs, values: values.subarray(0, count) }
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
