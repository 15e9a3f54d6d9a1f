// SIMD: a network's layers with their products in WebAssembly. `kernel.wat` is the kernel's text.
import { pool } from "./plain.js"

const OUTPUTS = 32 // that the kernel computes at once
const PAGE = 65536 // bytes of WebAssembly's memory

let kernel

// Fetches and compiles the kernel, once; the promise is of null where the browser cannot run it or the page forbids it.
export function loadKernel() {
  return (kernel ??= compile().catch(() => null))
}

async function compile() {
  const answer = await fetch(new URL("kernel.wasm", import.meta.url))
  return answer.ok ? WebAssembly.compile(await answer.arrayBuffer()) : null
}

// Puts the layers of `network.js` into WebAssembly's memory.
//
// Returns a function from the pixels of an image, Float32Array(784) in [0, 1], to logits, a Float32Array that is
// overwritten by the next call.
export function prepare(layers, compiled) {
  let size = 0 // in float32 numbers
  const reserve = count => {
    const start = size
    size += Math.ceil(count / 4) * 4
    return start
  }
  const plans = layers.map(layer => {
    const { kernel, bias, ...shape } = layer // the numbers are copied, and need not be kept
    if (!kernel) return shape
    const { height, width, inputs, outputs, side, padding, outHeight, outWidth } = shape
    const filled = Math.ceil(outputs / OUTPUTS) * OUTPUTS
    return {
      ...shape,
      filled,
      input: reserve((height + 2 * padding) * (width + 2 * padding) * inputs),
      weights: reserve(side * side * inputs * filled),
      biases: reserve(filled),
      output: reserve(outHeight * outWidth * filled),
    }
  })
  const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * size) / PAGE) })
  const numbers = new Float32Array(memory.buffer)
  plans.forEach((plan, place) => plan.kind !== "pooling" && store(plan, layers[place], numbers))
  const { convolve } = new WebAssembly.Instance(compiled, { digits: { memory } }).exports
  return pixels => {
    let values = pixels
    for (const plan of plans) {
      values = plan.kind === "pooling" ? pool(plan, values) : run(plan, values, numbers, convolve)
    }
    return values
  }
}

function store({ outputs, filled, weights, biases }, { kernel, bias }, numbers) {
  for (let input = 0; input < kernel.length / outputs; input++) {
    numbers.set(kernel.subarray(input * outputs, (input + 1) * outputs), weights + input * filled)
  }
  numbers.set(bias, biases)
}

function run(plan, values, numbers, convolve) {
  const { height, width, inputs, outputs, side, padding, relu, outHeight, outWidth } = plan
  const { filled, input, weights, biases, output } = plan
  const row = (width + 2 * padding) * inputs
  for (let y = 0; y < height; y++) {
    const pixels = values.subarray(y * width * inputs, (y + 1) * width * inputs)
    numbers.set(pixels, input + (y + padding) * row + padding * inputs)
  }
  convolve(
    ...[input, weights, biases, output].map(start => 4 * start),
    outHeight,
    outWidth,
    ...[row, inputs, side * inputs].map(length => 4 * length),
    side,
    4 * filled,
    relu ? 0 : -Infinity,
  )
  return packed(numbers, output, outHeight * outWidth, filled, outputs)
}

// Returns a layer's output without the numbers that fill it up.
function packed(numbers, output, places, filled, outputs) {
  if (filled === outputs || places === 1) return numbers.subarray(output, output + places * outputs)
  const values = new Float32Array(places * outputs)
  for (let place = 0; place < places; place++) {
    const start = output + place * filled
    values.set(numbers.subarray(start, start + outputs), place * outputs)
  }
  return values
}
