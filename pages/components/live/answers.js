// Answers: what is said about a reading, in the words of `digits/models/answers.py`.
const NAMED = 3 // of several doubtful marks, so many are named
const HESITATES = 0.1 // from this probability on, the second class is named too

export const NOTHING_DRAWN = {
  tone: "nothing",
  text: "",
  headline: "Nothing is drawn yet",
  sentence: "Draw a digit on the sheet, anywhere and at any size. The answer appears here after every stroke.",
}

// Returns what one sample of these classes is called.
export function nounOf(classes) {
  if (classes.every(name => /^[0-9]$/.test(name))) return "digit"
  return classes.every(name => /^\p{L}$/u.test(name)) ? "letter" : "character"
}

// Returns what is said about a reading of `reader.js`: { tone, text, headline, sentence }.
export function answer(reading, classes) {
  const { digits } = reading
  if (!digits.length) return NOTHING_DRAWN
  let text = ""
  digits.forEach((digit, place) => {
    text += (place && digit.line !== digits[place - 1].line ? "\n" : "") + digit.symbol
  })
  const refused = digits.filter(digit => !digit.accepted)
  if (!refused.length) return read(reading, classes, text)
  const single = nounOf(classes)
  const noun = digits.length === 1 ? single : single === "digit" ? "number" : "word"
  const isUnfinished = refused.every(digit => digit.beginning)
  if (refused.length < digits.length) {
    const tone = isUnfinished ? "unfinished" : "partial"
    return { tone, text, headline: `The model reads ${onOneLine(text)}`, sentence: doubt(digits, single) }
  }
  if (isUnfinished) return { tone: "unfinished", text, headline: `Not a ${noun} yet`, sentence: "Go on drawing." }
  const closest = `The closest match is ${onOneLine(reading.closest)}.`
  return { tone: "refused", text, headline: `This does not look like a ${noun}`, sentence: closest }
}

// Describes one digit of a number, counted from 0, in a sentence.
export function describe({ digits }, classes, place) {
  const digit = digits[place]
  const { other, second } = topTwo(digit, classes)
  if (digit.accepted) {
    return `${capitalised(nounOf(classes))} ${place + 1} is read as ${digit.name}${second >= HESITATES ? `, perhaps ${other}` : ""}.`
  }
  const noun = nounOf(classes)
  if (digit.beginning) return `Mark ${place + 1} is not a ${noun} yet.`
  return `Mark ${place + 1} does not look like a ${noun}; the closest match is ${digit.name}.`
}

// Names one digit of a reading, counted from 0, for those who press it.
export function label({ digits }, classes, place) {
  const digit = digits[place]
  const noun = nounOf(classes)
  const sure = `read as ${digit.name}, ${percent(digit.probabilities[digit.best])} sure`
  return `${capitalised(noun)} ${place + 1} of ${digits.length}: ${digit.accepted ? sure : `does not look like a ${noun}`}`
}

// Formats a share in [0, 1] as a percentage that never rounds to certainty.
export function percent(share) {
  if (share >= 0.9995) return ">99.9%"
  return share >= 0.0005 ? `${(100 * share).toFixed(1)}%` : "<0.1%"
}

// Returns the answer to a reading without doubtful marks.
function read({ digits, confidence }, classes, text) {
  const sure = percent(confidence)
  const tops = digits.map(digit => topTwo(digit, classes))
  const weakest = tops.reduce((found, top, place) => (top.second > tops[found].second ? place : found), 0)
  const { other, second } = tops[weakest]
  const isHesitant = second >= HESITATES
  const tone = isHesitant ? "hesitant" : "sure"
  const headline = `The model reads ${onOneLine(text)}`
  if (digits.length === 1) {
    const name = digits[0].either ? `${digits[0].name} or ${digits[0].name.toLowerCase()}` : digits[0].name
    const single = `The model reads ${name}`
    if (!isHesitant) return { tone, text, headline: single, sentence: `It is ${sure} sure.` }
    return { tone, text, headline: `${single}, perhaps ${other}`, sentence: `It is ${sure} sure of ${name}.` }
  }
  const lines = text.split("\n").length
  const count = digits.length === 2 ? "both" : `all ${digits.length}`
  const noun = nounOf(classes)
  const span = `${count} ${noun}s${lines > 1 ? ` on ${lines} lines` : ""}`
  const weak = isHesitant ? `; ${where(digits, weakest, noun)} may be ${other}` : ""
  return { tone, text, headline, sentence: `It is ${sure} sure of ${span}${weak}.${small(digits)}` }
}

// Names the letters whose size does not tell their case, after a space; "" if there are none.
function small(digits) {
  const names = [...new Set(digits.filter(digit => digit.either).map(digit => digit.name))]
  return names.length ? ` ${listed(names)} may be small.` : ""
}

// Says which marks beside digits do not look like one, or not yet.
function doubt(digits, noun) {
  const places = digits.flatMap((digit, place) => (!digit.accepted && !digit.beginning ? [place] : []))
  if (places.length === 1) {
    const closest = `; the closest match is ${digits[places[0]].name}`
    return `${marks(digits, places)} does not look like a ${noun}${closest}.`
  }
  if (places.length) return `${marks(digits, places)} do not look like ${noun}s.`
  const begun = digits.flatMap((digit, place) => (digit.beginning ? [place] : []))
  return `${marks(digits, begun)} ${begun.length === 1 ? `is not a ${noun} yet` : `are not ${noun}s yet`}. Go on drawing.`
}

// Names some of the marks, as "Mark 2" or "Marks 2, 3 and 5"; or counts them, if they are many.
function marks(digits, places) {
  if (places.length > NAMED) return `${places.length} of these ${digits.length} marks`
  return `Mark${places.length > 1 ? "s" : ""} ${listed(places.map(place => where(digits, place)))}`
}

function listed(names) {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0]
}

// Says where a mark is, counted from 1: "2", or "2 on line 1" if there are several lines.
function where(digits, place, noun = "") {
  const { line } = digits[place]
  const number = place - digits.findIndex(digit => digit.line === line) + 1
  return `${noun} ${number}`.trimStart() + (digits[digits.length - 1].line ? ` on line ${line + 1}` : "")
}

// Returns the name of the second likeliest class, and its probability.
function topTwo({ probabilities, best }, classes) {
  let runnerUp = best === 0 ? 1 : 0
  probabilities.forEach((share, place) => {
    if (place !== best && share > probabilities[runnerUp]) runnerUp = place
  })
  return { other: classes[runnerUp], second: probabilities[runnerUp] }
}

const capitalised = word => word[0].toUpperCase() + word.slice(1)

function onOneLine(text) {
  return text.replaceAll("\n", ", ")
}
