// The judge: whether an image looks like a digit at all, or like a letter, as `digits/models/judge.py` decides.
import { fetchNetwork } from "./network.js"
import { IMAGE_SIZE } from "./pen.js"

const THIN = 0.03 // the largest ratio of a line's variance across its direction to that along it
const LEVEL = (35 * Math.PI) / 180

// Fetches the judge of "digits" or of "characters"; other arguments and errors as for `fetchNetwork`.
export async function fetchJudge(kind, options) {
  return new Judge(await fetchNetwork("judge", options), kind)
}

class Judge {
  #network
  #outputs // the places of those that count as right; the others are signs and scribbles

  constructor(network, kind) {
    this.#network = network
    this.#outputs = network.facts[kind].outputs
    this.threshold = network.facts[kind].threshold // an image whose score is lower is refused
  }

  // Returns the probability in [0, 1] that an image, Uint8Array(784), is one of its kind; 0 for a dash.
  score(image) {
    if (isDash(image)) return 0
    const shares = this.#network.probabilities(image)
    return Math.min(1, this.#outputs.reduce((sum, place) => sum + shares[place], 0))
  }
}

// Returns whether an image is a single line within 35 degrees of horizontal, from the moments of its ink.
function isDash(image) {
  const [columns, rows] = [new Float64Array(IMAGE_SIZE), new Float64Array(IMAGE_SIZE)]
  image.forEach((ink, pixel) => {
    columns[pixel % IMAGE_SIZE] += ink
    rows[Math.floor(pixel / IMAGE_SIZE)] += ink
  })
  const mass = Math.max(1, columns.reduce((sum, ink) => sum + ink, 0))
  const mean = sums => sums.reduce((sum, ink, place) => sum + ink * place, 0) / mass
  const [x, y] = [mean(columns), mean(rows)]
  const variance = (sums, middle) => sums.reduce((sum, ink, place) => sum + ink * (place - middle) ** 2, 0) / mass
  const [across, down] = [variance(columns, x), variance(rows, y)]
  let both = 0
  image.forEach((ink, pixel) => {
    both += ink * ((pixel % IMAGE_SIZE) - x) * (Math.floor(pixel / IMAGE_SIZE) - y)
  })
  both /= mass
  const [middle, reach] = [(across + down) / 2, Math.hypot((across - down) / 2, both)]
  const isLine = middle - reach < THIN * (middle + reach)
  return isLine && Math.abs(Math.atan2(2 * both, across - down)) < 2 * LEVEL
}
