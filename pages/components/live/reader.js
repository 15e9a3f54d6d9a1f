// The reader: from the strokes on the sheet to an answer, in the visitor's browser, at every move of the pen.
//
//   import { openReader } from "/live/<version>/reader.js"    // the address is `digits.views.live.reader_path()`
//   const reader = await openReader({ model: "drawing" })     // fetches the network and the judge; may throw
//   const reading = reader.read(strokes, { width, height, penWidth })
//
// With `isHurried`, a reading that could take longer than a frame is cut short: where strokes cross, their geometry alone
// then tells the digits apart. So the answer may be another one, and the last reading of a drawing must not be hurried.
//
// `strokes` is an array of strokes, each an array of points [x, y] in pixels of the sheet (or a Float32Array x, y, x,
// y, …). The one under the pen is among them, with the points that it has so far. The arrays are never changed, and
// the same arrays may be given again with more points. What belongs to unchanged strokes is remembered, so `read` can
// be called in every frame while the pen moves. It returns at once, and never throws for what is drawn.
//
// A reading is what `digits.models.reading.read_strokes` and `digits.models.answers.answer` say on the server:
//   digits      in reading order; for each
//     strokes         the places of its strokes in `strokes`, rising
//     line            its line of writing, from 0 at the top
//     box             [x0, y0, x1, y1] of its ink in pixels of the sheet, within a pixel or so of the server's
//     image           Uint8Array(784), row by row, 0 is paper and 255 is ink: the same bytes as on the server
//     scale, centre   pixels of the image for one of the sheet; [x, y] of the point of the sheet that is in its middle
//     probabilities   Float32Array(classes), calibrated
//     best, name      the likeliest class, as a number and as its name
//     accepted        whether it looks like a digit
//     dot, beginning  whether it is only a dot; whether it is refused but may become a digit with another stroke
//     symbol          its name, or ? if it is refused
//     either          whether it is a letter that may be a capital or a small one
//     label, description   as `answers.label` and `answers.describe`
//   closest     the names of all digits, "\n" between lines: `Reading.text`
//   confidence  the product of the highest probabilities; 0 if nothing is drawn
//   tone        "nothing", "sure", "hesitant", "partial", "unfinished" or "refused"; or "error"
//   text        the answer: the digits, with ? for what is refused
//   headline, sentence   the answer in words; after an error only the sentence
//
// A reader also has
//   model                 { id, title, classes, temperature }
//   engine                "simd" or "plain"
//   probabilities(image)  the calibrated probabilities of any image, Float32Array(classes)
//   firstLayer(image)     what its first layer makes of an image: { height, width, channels, values }, a Float32Array
//                         with the channels side by side for each pixel; a dense layer's units have height and width 1
//   fork()                a reader of another sheet that shares the networks; it costs nothing
import { answer, describe, label } from "./answers.js"
import { nameByCase } from "./cases.js"
import { group } from "./grouping.js"
import { fetchJudge } from "./judge.js"
import { linesOfWriting } from "./lines.js"
import { isBeginning, isDot } from "./marks.js"
import { fetchNetwork } from "./network.js"
import { draw } from "./pen.js"
import { Sheet, unitedBox } from "./strokes.js"

const MAX_DIGITS = 40
const FRAME_MS = 14 // of the 16.7 between two frames; the rest is for painting
const SMALLEST_DRAWING = 8 // pixels of the sheet; anything smaller is a dot, and is not blown up

// Fetches a model and, if its classes have one, the judge. `engine` is "simd" or "plain"; without it the quickest that
// this browser has. Networks are shared by all readers, so a second reader of a model, or the judge of
// another one, costs nothing. Throws an Error with a sentence if the model cannot be fetched or run.
export async function openReader({ model, engine } = {}) {
  // The judge is fetched at the same time, before it is known whether it will be asked.
  const [network] = await Promise.all([fetchNetwork(model, { engine }), fetchNetwork("judge", { engine })])
  const kind = network.facts.judge
  const reader = new Reader(network, kind ? await fetchJudge(kind, { engine }) : null)
  reader.fork().read([[[40, 40], [40, 200]]]) // the first reading takes longest, so that is not the visitor's
  return reader
}

class Reader {
  #network
  #judge
  #sheet = new Sheet()
  #glyphs = new Map() // by the identities of their strokes
  #deadline = Infinity // of the present reading, by the browser's clock
  #cost = 0 // milliseconds that the last question took

  constructor(network, judge) {
    this.#network = network
    this.#judge = judge
    const { id, title, classes, temperature } = network.facts
    this.model = { id, title, classes, temperature }
    this.engine = network.engine
  }

  read(drawn, { width = 280, height = 280, penWidth = 20, isHurried = false } = {}) {
    this.#deadline = isHurried ? performance.now() + FRAME_MS : Infinity
    let strokes
    try {
      strokes = this.#sheet.place(drawn)
    } catch (error) {
      return refusal(error.message)
    }
    this.#forget()
    const lines = this.#divide(strokes)
    const count = lines.reduce((sum, line) => sum + line.length, 0)
    if (count > MAX_DIGITS) {
      return refusal(
        `At most ${MAX_DIGITS} digits can be read at once; this has ${count} separate marks. Clear it, or choose a ` +
          "picture with less on it.",
      )
    }
    const digits = lines.flatMap((line, number) =>
      line.map(members => this.#digit(members.map(index => strokes[index]), members, number, width, height, penWidth)),
    )
    const spans = digits.map(digit => unitedBox(digit.strokes.map(place => strokes[place].box)))
    nameByCase(digits, spans.map(([, top, , bottom]) => [top, bottom]), this.#network.facts.folded ?? "")
    return this.#inWords(digits)
  }

  fork() {
    return new Reader(this.#network, this.#judge)
  }

  probabilities(image) {
    return this.#network.probabilities(image)
  }

  firstLayer(image) {
    return this.#network.firstLayer(image)
  }

  // Returns for each line of writing its digits, each as the places of its strokes.
  #divide(strokes) {
    const confidence = members => this.#confidence(members)
    return linesOfWriting(strokes.map(stroke => stroke.box)).map(line => {
      const groups = group(line.map(index => strokes[index]), confidence, this.#network.facts.bias)
      return groups.map(places => places.map(place => line[place]).sort((a, b) => a - b))
    })
  }

  // Returns the network's confidence in strokes as one digit, times the judge's that they are a digit at all; null if
  // there is no time left to find it and then to read a digit. The parts of a letter are letters, so it is not asked
  // about these.
  #confidence(strokes) {
    const start = performance.now()
    const isKnown = this.#glyphs.get(keyOf(strokes))?.opinion
    if (!isKnown && start + 2 * this.#cost > this.#deadline) return null
    const glyph = this.#glyph(strokes)
    const confidence = Math.max(...this.#opinion(glyph)) * (this.#network.facts.judge === "digits" ? this.#verdict(glyph) : 1)
    if (!isKnown) this.#cost = performance.now() - start
    return confidence
  }

  #digit(strokes, places, line, width, height, penWidth) {
    const glyph = this.#glyph(strokes)
    const probabilities = this.#opinion(glyph)
    const best = probabilities.indexOf(Math.max(...probabilities))
    const dot = isDot(strokes, Math.min(width, height), penWidth)
    const accepted = !this.#judge || (!dot && this.#verdict(glyph) >= this.#judge.threshold)
    const beginning = !accepted && isBeginning(strokes, dot)
    const name = this.model.classes[best]
    const { image, scale, centre } = glyph
    const box = inkBox(strokes, width, height, penWidth)
    const said = { probabilities, best, name, accepted, dot, beginning, symbol: accepted ? name : "?" }
    return { strokes: places, line, box, image, scale, centre, ...said }
  }

  #inWords(digits) {
    let [closest, confidence] = ["", digits.length ? 1 : 0]
    digits.forEach((digit, place) => {
      closest += (place && digit.line !== digits[place - 1].line ? "\n" : "") + digit.name
      confidence *= digit.probabilities[digit.best]
    })
    const reading = { digits, closest, confidence }
    digits.forEach((digit, place) => {
      digit.label = label(reading, this.model.classes, place)
      digit.description = describe(reading, this.model.classes, place)
    })
    return { ...reading, ...answer(reading, this.model.classes) }
  }

  #glyph(strokes) {
    const ids = strokes.map(stroke => stroke.id)
    const key = keyOf(strokes)
    if (!this.#glyphs.has(key)) {
      this.#glyphs.set(key, { ids, ...draw(strokes.map(stroke => stroke.points), SMALLEST_DRAWING) })
    }
    return this.#glyphs.get(key)
  }

  #opinion(glyph) {
    return (glyph.opinion ??= this.#network.probabilities(glyph.image))
  }

  #verdict(glyph) {
    return (glyph.verdict ??= this.#judge.score(glyph.image))
  }

  // Drops what belongs to strokes that are no longer on the sheet.
  #forget() {
    for (const [key, { ids }] of this.#glyphs) {
      if (!ids.every(id => this.#sheet.has(id))) this.#glyphs.delete(key)
    }
  }
}

const keyOf = strokes => strokes.map(stroke => stroke.id).join(",")

function refusal(sentence) {
  return { digits: [], closest: "", confidence: 0, tone: "error", text: "", headline: "", sentence }
}

// Returns the box around the ink of strokes, which is wider than their points by half the pen.
function inkBox(strokes, width, height, penWidth) {
  const [x0, y0, x1, y1] = unitedBox(strokes.map(stroke => stroke.box))
  const radius = penWidth / 2
  return [
    Math.max(0, Math.round(x0 - radius)),
    Math.max(0, Math.round(y0 - radius)),
    Math.min(width, Math.round(x1 + radius)),
    Math.min(height, Math.round(y1 + radius)),
  ]
}
