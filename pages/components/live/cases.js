// Cases: whether a letter is a capital or a small one, by its height against the line, as `digits/ink/cases.py` says.
const BY_HEIGHT = "ACEMNORSUVWXZ" // a small one is as high as an x
const BY_FOOT = "GJPQY" // a small one hangs below the line
const HIGH = "BDFHKLT" // in both cases
const [HIGH_SMALL, LOW_SMALL] = ["bdfht", "aenr"]
const LOW = 0.56 // the height of an x, in heights of a capital
const [SMALL, CAPITAL] = [0.72, 0.84] // below and above; in between either is possible
const HANGS = 0.25 // so far below the line

// Returns the letters of a line in their case, and "" for those of which either case is possible.
//
// `names` are the characters' classes, `spans` the top and bottom of each, and `folded` has the classes of both cases.
export function decide(names, spans, folded) {
  const isFolded = name => folded.includes(name)
  const heights = spans.map(([top, bottom]) => bottom - top)
  const capital = capitalHeight(names, heights, isFolded)
  const found = names.map(name => (isFolded(name) ? "" : name))
  if (capital <= 0) return found
  names.forEach((name, place) => {
    if (!isFolded(name) || !BY_HEIGHT.includes(name)) return
    const share = heights[place] / capital
    found[place] = share < SMALL ? name.toLowerCase() : share > CAPITAL ? name : ""
  })
  const standing = names.map((name, place) => !"gqQ".includes(name) && (found[place] || HIGH.includes(name)))
  const feet = spans.map(([, bottom]) => bottom).filter((_, place) => standing[place])
  names.forEach((name, place) => {
    if (!isFolded(name) || !BY_FOOT.includes(name) || !feet.length) return
    found[place] = spans[place][1] - median(feet) > HANGS * capital ? name.toLowerCase() : name
  })
  return beside(names, found, isFolded)
}

// Sets the name of each digit of a reading to its case; `either` says of a digit that both are possible.
export function nameByCase(digits, spans, folded) {
  if (!folded.length) return
  for (const line of new Set(digits.map(digit => digit.line))) {
    const places = digits.flatMap((digit, place) => (digit.line === line ? [place] : []))
    const found = decide(places.map(place => digits[place].name), places.map(place => spans[place]), folded)
    places.forEach((place, index) => {
      const digit = digits[place]
      digit.either = !found[index]
      if (!digit.either && digit.symbol === digit.name) digit.symbol = found[index]
      if (!digit.either) digit.name = found[index]
    })
  }
}

// Returns how high a capital of the line is, by the characters whose case is known; 0 if there are none.
function capitalHeight(names, heights, isFolded) {
  const known = names.flatMap((name, place) => {
    if (LOW_SMALL.includes(name)) return [heights[place] / LOW]
    const isHigh = HIGH_SMALL.includes(name) || HIGH.includes(name) || (!isFolded(name) && "AEGNQR0123456789".includes(name))
    return isHigh ? [heights[place]] : []
  })
  return known.length ? median(known) : 0
}

// Gives letters whose size tells nothing, as k and l, the case of the others, but for the first, if these are small.
function beside(names, found, isFolded) {
  const letters = found.filter((name, place) => place && /^\p{L}$/u.test(name))
  const hasSmall = letters.some(name => name !== name.toUpperCase())
  const hasCapitals = letters.some(name => name !== name.toLowerCase())
  return found.map((name, place) => {
    const isOpen = isFolded(names[place]) && !BY_HEIGHT.includes(names[place]) && !BY_FOOT.includes(names[place])
    if (!isOpen || hasSmall === hasCapitals) return name
    if (hasCapitals) return names[place]
    return place ? names[place].toLowerCase() : name
  })
}

// Returns the middle of some numbers, the lower of two.
function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[(numbers.length - 1) >> 1]
}
