// A table of counts whose cells are buttons.
export default function ({ data, parentElement, setTriggerValue }) {
  const table = parentElement.querySelector(".matrix")
  table.parentElement.classList.toggle("large", data.isLarge)
  const content = JSON.stringify([data.names, data.counts])
  if (table.dataset.content !== content) {
    table.dataset.content = content
    table.replaceChildren(head(data.names), ...data.counts.map((counts, row) => line(data, counts, row)))
  }
  table.setAttribute("aria-label", data.label)

  const buttons = [...table.querySelectorAll("button")]
  buttons.forEach((button, place) => {
    button.setAttribute("aria-pressed", String(place === data.pressed))
    button.onclick = () => {
      button.focus() // not every browser focuses a pressed button
      if (button.ariaDisabled !== "true") setTriggerValue("pressed", place)
    }
  })
  rove(table, buttons, () => data.names.length)

  const { pressed } = table
  table.pressed = data.pressed
  if (data.isDialog && pressed != null && data.pressed == null) focusAfterDialog(buttons[pressed])
}

function head(names) {
  const part = document.createElement("thead")
  const above = document.createElement("tr")
  const below = document.createElement("tr")
  above.append(
    Object.assign(document.createElement("td"), { className: "side" }),
    heading("predicted", "axis", { colSpan: names.length }),
  )
  below.append(heading("true", "axis"), ...names.map(name => heading(name, "", { scope: "col" })))
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
