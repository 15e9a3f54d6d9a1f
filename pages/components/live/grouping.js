// Grouping: which strokes of a line of writing form a digit, as `digits/ink/grouping.py` divides them.
//
// For each two strokes, the geometry of their paths is evidence for one digit or for two, in nats. Every way to divide
// the strokes has a cost: the evidence that it contradicts and, for each digit, -log of the recogniser's confidence in
// it. The cheapest is chosen. Here the recogniser is asked only about digits of the division that would be the cheapest
// if it were sure of all that it has not been asked about yet; this finds the same division with fewer questions.
//
// All lengths are in heights of the line: its tallest stroke is 1 high. Python's module explains each constant.
import { unitedBox } from "./strokes.js"

export const LEANS = [-0.25, -0.125, 0, 0.125, 0.25]
const MAX_QUESTIONS = 60
const STEP = 1 / 40
const MOST_POINTS = 400
const NEAR_ENOUGH = 0.3
const BAR_REACH = 0.45
const BAR = 0.5
const NEAR = 0.1
const CLOSED = 0.05
const WIDEST = 2
const MOST_PARTS = 4
const MOST_UNITS = 14
const STRANGE = 0.018
const SUREST = -Math.log(STRANGE) // nats; what a question can change at most, for each digit
const WEIGHTS = [0.51, -5.31, -8.51, 2.57, -2.2, -3.23, 4.33, -1.49, 1.39, 2.14]

const rising = (a, b) => a - b
const key = members => members.join(",")

// Divides the strokes of one line into digits.
//
// `strokes` are as `Sheet.place` returns them; `confidence` returns for some of them the recogniser's confidence in
// [0, 1] that they are one digit, or null if there is no time to ask; the geometry then decides alone. Returns each
// digit's rising places in `strokes`; the digits from left to right. `bias` is added to the evidence of each pair.
export function group(strokes, confidence, bias = 0) {
  if (strokes.length < 2) return strokes.map((_, place) => [place])
  const paths = pathsOf(strokes)
  const bonds = bondsOf(paths, bias) // evidence by pair
  const links = bonds.filter(({ evidence }) => evidence > -2 * SUREST)
  const everyone = strokes.map((_, place) => place)
  const groups = []
  let questions = 0
  for (const members of connected(everyone, links)) {
    const units = connected(members, links.filter(({ evidence }) => evidence > SUREST))
    const candidates = candidatesOf(units, links, paths)
    questions += candidates.length
    if (questions > MAX_QUESTIONS || units.length > MOST_UNITS) {
      groups.push(...connected(members, links.filter(({ evidence }) => evidence > 0)))
    } else {
      const ask = found => confidence(found.map(place => strokes[place]))
      const asked = candidates.length > 1 && cheapestDivision(units, candidates, bonds, ask)
      groups.push(...(asked || cheapestDivision(units, candidates, bonds, null)))
    }
  }
  const place = members => {
    const box = unitedBox(members.map(index => paths[index].box))
    return box[0] + box[2]
  }
  return groups.sort((a, b) => place(a) - place(b) || a[0] - b[0])
}

// Returns for each stroke evenly spaced points { x, y, box }, in heights of the line.
function pathsOf(strokes) {
  const [left, top] = unitedBox(strokes.map(stroke => stroke.box))
  const height = Math.max(1, ...strokes.map(({ box }) => Math.fround(box[3] - box[1])))
  const scaled = strokes.map(({ points }) => {
    const [x, y, along] = [0, 1, 2].map(() => new Float64Array(points.length / 2))
    for (let at = 0; at < x.length; at++) {
      x[at] = (points[2 * at] - left) / height
      y[at] = (points[2 * at + 1] - top) / height
      if (at) along[at] = along[at - 1] + Math.hypot(x[at] - x[at - 1], y[at] - y[at - 1])
    }
    return { x, y, along, length: along[along.length - 1] }
  })
  const step = Math.max(STEP, scaled.reduce((sum, { length }) => sum + length, 0) / MOST_POINTS)
  return scaled.map(path => evenlySpaced(path, step))
}

function evenlySpaced({ x, y, along, length }, step) {
  const count = Math.floor(length / step) + 2
  const path = { x: new Float64Array(count), y: new Float64Array(count), box: null }
  for (let index = 0, from = 0; index < count; index++) {
    const place = index === count - 1 ? length : index * (length / (count - 1))
    while (from < along.length - 1 && along[from + 1] <= place) from++
    for (const [axis, points] of [["x", x], ["y", y]]) {
      const slope = from < along.length - 1 ? (points[from + 1] - points[from]) / (along[from + 1] - along[from]) : 0
      path[axis][index] = slope ? slope * (place - along[from]) + points[from] : points[from]
    }
  }
  path.box = [Math.min(...path.x), Math.min(...path.y), Math.max(...path.x), Math.max(...path.y)]
  const leaning = LEANS.map(lean => path.x.map((value, at) => value + path.y[at] * lean))
  path.lows = leaning.map(places => Math.min(...places))
  path.highs = leaning.map(places => Math.max(...places))
  return path
}

// Returns { i, j, evidence } in nats for one digit, for each two paths that are near enough to be parts of one.
function bondsOf(paths, bias) {
  const bonds = []
  for (let i = 0; i < paths.length; i++) {
    for (let j = i + 1; j < paths.length; j++) {
      const between = gap(paths[i].box[0], paths[i].box[2], paths[j].box[0], paths[j].box[2])
      if (between > BAR_REACH) continue // their distance is at least as large
      const features = featuresOf(paths[i], paths[j])
      const distance = features[1] * features[1]
      const isBar = Math.min(tallness(paths[i]), tallness(paths[j])) < BAR
      if (distance <= NEAR_ENOUGH || between <= 0 || (isBar && distance <= BAR_REACH)) {
        bonds.push({ i, j, evidence: features.reduce((sum, feature, at) => sum + WEIGHTS[at] * feature, bias) })
      }
    }
  }
  return bonds
}

const tallness = path => path.box[3] - path.box[1]
const gap = (low, high, otherLow, otherHigh) => Math.max(low - otherHigh, otherLow - high)
const clip = (value, low, high) => Math.max(low, Math.min(high, value))

// Returns what is known of two strokes, in the order of `WEIGHTS`; see `pair_features` in Python.
function featuresOf(a, b) {
  const [nearA, nearB] = distances(a, b)
  const [beside, besideOther] = [nearA, nearB].map(near => near.filter(value => value < NEAR).length / near.length)
  const [end, otherEnd] = [nearA, nearB].map(near => Math.max(near[0], near[near.length - 1]))
  const nearerEnd = Math.min(end, otherEnd)
  const apart = Math.max(...LEANS.map((_, lean) => gap(a.lows[lean], a.highs[lean], b.lows[lean], b.highs[lean])))
  const [[x0, y0, x1, y1], [u0, v0, u1, v1]] = [a.box, b.box]
  const narrower = Math.max(0.1, Math.min(x1 - x0, u1 - u0))
  return [
    1,
    Math.sqrt(nearA.reduce((low, value) => Math.min(low, value))),
    clip(apart, -0.5, 0),
    Math.min(nearerEnd, 0.6),
    nearA.length < nearB.length ? beside : besideOther,
    Math.min(STEP * Math.min(nearA.length, nearB.length), 2),
    Math.max(y1, v1) - Math.min(y0, v0),
    Math.max(x1, u1) - Math.min(x0, u0),
    clip(-gap(x0, x1, u0, u1) / narrower, -1, 1),
    nearerEnd < CLOSED ? 1 : 0,
  ]
}

// Returns the distance of each point of either path to the nearest point of the other.
function distances(a, b) {
  const [nearA, nearB] = [a, b].map(path => new Float64Array(path.x.length).fill(Infinity))
  for (let i = 0; i < nearA.length; i++) {
    for (let j = 0; j < nearB.length; j++) {
      const dx = a.x[i] - b.x[j]
      const dy = a.y[i] - b.y[j]
      const square = dx * dx + dy * dy
      if (square < nearA[i]) nearA[i] = square
      if (square < nearB[j]) nearB[j] = square
    }
  }
  return [nearA.map(Math.sqrt), nearB.map(Math.sqrt)]
}

// Returns the sets of members that links connect, each rising.
function connected(members, links) {
  const owner = new Map(members.map(member => [member, [member]]))
  for (const { i, j } of links) {
    const [into, from] = [owner.get(i), owner.get(j)]
    if (!into || !from || into === from) continue
    into.push(...from)
    for (const member of from) owner.set(member, into)
  }
  return [...owner].filter(([member, found]) => found[0] === member).map(([, found]) => [...found].sort(rising))
}

// Returns the sets of connected units that may be one digit, as the rising places of their strokes.
function candidatesOf(units, links, paths) {
  const unitOf = new Map(units.flatMap(unit => unit.map(member => [member, unit])))
  const friends = new Map([...unitOf.keys()].map(member => [member, new Set()]))
  for (const { i, j } of links) {
    if (!friends.has(i) || !friends.has(j)) continue
    friends.get(i).add(j)
    friends.get(j).add(i)
  }
  const found = [...units].sort((a, b) => a[0] - b[0])
  const parts = new Map(found.map(unit => [key(unit), 1])) // how many units each consists of
  for (const known of found) { // grows while it is read
    if (parts.get(key(known)) === MOST_PARTS || found.length > MAX_QUESTIONS) continue
    const others = new Set(known.flatMap(member => [...friends.get(member)]))
    for (const other of [...others].filter(member => !known.includes(member)).sort(rising)) {
      const larger = [...known, ...unitOf.get(other)].sort(rising)
      if (parts.has(key(larger)) || widthOf(larger, paths) > WIDEST) continue
      parts.set(key(larger), parts.get(key(known)) + 1)
      found.push(larger)
    }
  }
  return found
}

// Returns the width of several strokes over their height, or over the line's if that is larger.
function widthOf(members, paths) {
  const [x0, y0, x1, y1] = unitedBox(members.map(index => paths[index].box))
  return (x1 - x0) / Math.max(1, y1 - y0)
}

// Divides units into candidates with the smallest sum of costs.
//
// Without `ask` the geometry decides alone. A candidate that was not asked about is taken for a sure digit, which is
// the least that it can cost. Returns null if `ask` does.
function cheapestDivision(units, candidates, bonds, ask) {
  const bitOf = new Map(units.flatMap((unit, bit) => unit.map(member => [member, 1 << bit])))
  const options = candidates.map(members => {
    const isInside = ({ i, j }) => members.includes(i) && members.includes(j)
    const evidence = bonds.filter(isInside).reduce((sum, bond) => sum + bond.evidence, 0)
    const mask = members.reduce((bits, member) => bits | bitOf.get(member), 0)
    return { members, mask, cost: -evidence, isAsked: !ask }
  })
  for (;;) {
    const chosen = cheapest(options, units.length)
    const open = chosen.filter(option => !option.isAsked)
    if (!open.length) return chosen.map(option => option.members)
    for (const option of open) {
      const confidence = ask(option.members)
      if (confidence === null) return null
      option.cost -= Math.log(STRANGE + (1 - STRANGE) * confidence)
      option.isAsked = true
    }
  }
}

// Returns the options that together hold each unit once, with the smallest sum of costs, by dynamic programming.
function cheapest(options, unitCount) {
  const startingAt = bit => options.filter(({ mask }) => (mask & -mask) === 1 << bit)
  const starting = Array.from({ length: unitCount }, (_, bit) => startingAt(bit))
  const best = new Map([[0, { cost: 0, option: null, rest: 0 }]])
  const divide = left => {
    if (!best.has(left)) {
      let found = { cost: Infinity, option: null, rest: 0 }
      for (const option of starting[31 - Math.clz32(left & -left)]) {
        if ((option.mask & left) !== option.mask) continue
        const rest = left & ~option.mask
        const cost = divide(rest).cost + option.cost
        if (cost < found.cost) found = { cost, option, rest }
      }
      best.set(left, found)
    }
    return best.get(left)
  }
  const chosen = []
  for (let left = 2 ** unitCount - 1; left; left = best.get(left).rest) {
    divide(left)
    chosen.push(best.get(left).option)
  }
  return chosen
}
