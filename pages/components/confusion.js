// A table of counts whose cells are buttons. The arrow keys move between the cells.
export default function ({ data, parentElement, setTriggerValue }) {
  const table = parentElement.querySelector(".matrix")
  const content = JSON.stringify([data.names, data.counts])
  if (table.dataset.content !== content) {
    table.dataset.content = content
    table.replaceChildren(head(data.names), ...data.counts.map((counts, row) => line(data, counts, row)))
  }
  table.setAttribute("aria-label", data.label)

  const buttons = [...table.querySelectorAll("button")]
  const size = data.names.length
  const inTabOrder = Math.max(0, buttons.findIndex(button => button.tabIndex === 0))
  buttons.forEach((button, place) => {
    button.setAttribute("aria-pressed", String(place === data.pressed))
    button.tabIndex = place === inTabOrder ? 0 : -1
    button.onclick = () => {
      focus(buttons, place)
      if (button.ariaDisabled !== "true") setTriggerValue("pressed", place)
    }
  })
  table.onkeydown = event => {
    const place = buttons.indexOf(event.target)
    const [row, column] = [Math.floor(place / size), place % size]
    const next = {
      ArrowLeft: column > 0 && place - 1,
      ArrowRight: column < size - 1 && place + 1,
      ArrowUp: row > 0 && place - size,
      ArrowDown: row < size - 1 && place + size,
    }[event.key]
    if (next === undefined) return
    event.preventDefault()
    if (next !== false) focus(buttons, next)
  }
}

function focus(buttons, place) {
  buttons.forEach(button => (button.tabIndex = -1))
  buttons[place].tabIndex = 0
  buttons[place].focus()
}

function head(names) {
  const part = document.createElement("thead")
  const above = document.createElement("tr")
  const below = document.createElement("tr")
  above.append(heading("", "side"), heading("read as", "axis", { colSpan: names.length }))
  below.append(heading("is", "axis"), ...names.map(name => heading(name, "", { scope: "col" })))
  part.append(above, below)
  return part
}

function heading(text, className, more = {}) {
  return Object.assign(document.createElement("th"), { textContent: text, className, ...more })
}

function line(data, counts, row) {
  const part = document.createElement("tr")
  part.append(heading(data.names[row], "", { scope: "row" }))
  counts.forEach((count, column) => {
    const [is, read] = [data.names[row], data.names[column]]
    const button = document.createElement("button")
    button.type = "button"
    button.className = count === 0 ? "cell none" : row === column ? "cell right" : "cell"
    button.style.setProperty("--shade", `${data.shades[row][column]}%`)
    button.textContent = count || ""
    button.ariaDisabled = String(count === 0)
    button.title = row === column ? `${is} read correctly: ${count}` : `${is} read as ${read}: ${count}`
    button.setAttribute("aria-label", button.title)
    const cell = document.createElement("td")
    cell.append(button)
    part.append(cell)
  })
  return part
}
