// What every bundled model reads in the same digit. While the pen is down they all read along, in this browser; the reader
// of the chosen model (see answer.js) says which image they are given.
const readers = new Map() // by model

const percent = share => (share >= 0.9995 ? ">99.9%" : share < 0.0005 ? "<0.1%" : `${(100 * share).toFixed(1)}%`)

export default function ({ data, parentElement }) {
  const table = parentElement.querySelector(".race")
  const body = table.tBodies[0]
  table.data = data
  if (body.rows.length !== data.models.length) {
    body.replaceChildren(...data.models.map(({ title }) => {
      const row = document.createElement("tr")
      row.innerHTML = '<th scope="row"></th><td class="reads"></td><td class="track"><span class="bar"><i></i></span></td><td class="sure"></td>'
      row.cells[0].textContent = title
      return row
    }))
  }
  data.models.forEach(({ reads, confidence }, place) => show(table, place, reads, confidence))
  if (table.follow) return
  table.follow = ({ detail: { reading, chosen } }) => {
    const image = reading.digits[chosen]?.image
    if (!image) return
    table.data.models.forEach(({ id }, place) => {
      const reader = readers.get(id)
      if (!reader?.probabilities) return
      const probabilities = reader.probabilities(image)
      const best = probabilities.indexOf(Math.max(...probabilities))
      show(table, place, reader.model.classes[best], probabilities[best])
    })
  }
  window.addEventListener("digits:reading", table.follow)
  open(data)
  return () => {
    window.removeEventListener("digits:reading", table.follow)
    table.follow = null
  }
}

function show(table, place, reads, confidence) {
  const row = table.tBodies[0].rows[place]
  row.dataset.reads = row.cells[1].textContent = reads
  row.querySelector("i").style.setProperty("--share", confidence.toFixed(3))
  row.cells[3].textContent = percent(confidence)
  const first = table.tBodies[0].rows[table.data.models.length - 1].dataset.reads // the best model is the last
  for (const one of table.tBodies[0].rows) one.classList.toggle("differs", one.dataset.reads !== first)
}

// Fetches the models one after the other; the server's answers stand until each has come.
async function open({ script, models }) {
  try {
    const { openReader } = await import(new URL(`.${script}`, window.location))
    for (const { id } of models) {
      if (readers.has(id)) continue
      readers.set(id, null)
      readers.set(id, await openReader({ model: id }))
    }
  } catch (error) {
    console.info(`The models do not read along: ${error.message}`)
  }
}
