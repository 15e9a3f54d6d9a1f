// Networks: fetched from this server and run here. `digits/views/live.py` serves them.
//
// A network is a list of layers: convolutions (stride 1), pooling (the largest of 2×2) and dense layers. Activations
// lie as height, width, channel; kernels as height, width, inputs, outputs. So the products of one input with all
// outputs lie side by side, which is what both ways of computing use.
import { IMAGE_SIZE } from "./pen.js"
import * as plain from "./plain.js"
import * as simd from "./simd.js"

const networks = new Map() // promises, by name and engine

// Fetches the network of a model, or of the judge, by its name; once, unless that fails.
//
// `engine` is "simd", "plain" or undefined for the quickest that this browser has.
// Throws an Error with a sentence if the network, or the engine, cannot be had.
export function fetchNetwork(name, { engine } = {}) {
  const key = `${name} ${engine}`
  if (!networks.has(key)) {
    networks.set(key, open(name, engine))
    networks.get(key).catch(() => networks.delete(key))
  }
  return networks.get(key)
}

async function open(name, engine) {
  const kernel = engine === "plain" ? null : simd.loadKernel() // on its way together with the description
  const place = new URL(`../models/${encodeURIComponent(name)}`, import.meta.url)
  const facts = JSON.parse(new TextDecoder().decode(await fetched(place)))
  const weights = await fetched(new URL(facts.weights, place))
  return new Network(facts, weights, await kernel, engine)
}

async function fetched(address) {
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(await answer.text())
  return new Uint8Array(await answer.arrayBuffer())
}

export class Network {
  #first
  #run

  // `facts` describe the network, `bytes` are its float16 numbers, each layer's kernel and then its bias.
  constructor(facts, bytes, kernel, engine) {
    this.facts = facts
    const layers = layersOf(facts.layers, floatsOf(bytes))
    if (engine === "simd" && !kernel) throw new Error("This browser has no WebAssembly SIMD, or its page forbids it.")
    this.#first = plain.withRoom(layers[0])
    this.engine = kernel ? "simd" : "plain"
    this.#run = kernel ? simd.prepare(layers, kernel) : plain.prepare(layers)
  }

  // Returns the calibrated probabilities of an image, Uint8Array(784) with ink 255, as Float32Array(classes).
  probabilities(image) {
    const logits = this.#run(this.#pixels(image))
    const top = Math.max(...logits)
    const powers = Float64Array.from(logits, logit => Math.exp((logit - top) / this.facts.temperature))
    const sum = powers.reduce((total, power) => total + power, 0)
    return Float32Array.from(powers, power => power / sum)
  }

  // Returns what the first layer makes of an image: { height, width, channels, values }.
  firstLayer(image) {
    return plain.convolve(this.#first, this.#pixels(image))
  }

  #pixels(image) {
    return Float32Array.from(image, ink => ink * this.facts.scale)
  }
}

// Gives each layer its numbers and the shape of what it receives; a dense layer is a convolution over a single place.
function layersOf(descriptions, numbers) {
  let [height, width, channels, at] = [IMAGE_SIZE, IMAGE_SIZE, 1, 0]
  const take = count => numbers.subarray(at, (at += count))
  return descriptions.map(({ kind, side, outputs, padded, relu }) => {
    if (kind === "dense") [height, width, channels] = [1, 1, height * width * channels]
    const received = { height, width, inputs: channels }
    const layer = { kind, ...received, outputs: outputs ?? channels, side: side ?? 1, padding: 0, relu }
    if (kind === "pooling") {
      ;[height, width] = [height >> 1, width >> 1]
    } else {
      layer.padding = padded ? (layer.side - 1) / 2 : 0
      ;[height, width] = [height, width].map(length => length + 2 * layer.padding - layer.side + 1)
      layer.kernel = take(layer.side * layer.side * channels * outputs)
      layer.bias = take(outputs)
    }
    channels = layer.outputs
    return { ...layer, outHeight: height, outWidth: width }
  })
}

// Returns float16 numbers as Float32Array. Not every browser has Float16Array yet.
export function floatsOf(bytes) {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
  const floats = new Float32Array(halves.length)
  const bits = new Uint32Array(floats.buffer)
  for (let index = 0; index < halves.length; index++) {
    const half = halves[index]
    const sign = (half & 0x8000) << 16
    const exponent = (half >> 10) & 31
    const fraction = half & 1023
    if (exponent) bits[index] = sign | ((exponent + 112) << 23) | (fraction << 13) // finite: the server sends no others
    else floats[index] = (sign ? -fraction : fraction) * 2 ** -24
  }
  return floats
}
