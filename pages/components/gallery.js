// All samples are in one picture; each tile shows its part of it. Tiles are buttons unless `still` is set.
export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector(".grid")
  const content = JSON.stringify([data.tiles, data.still, data.sprite])
  let focused = -1
  if (grid.content !== content) {
    grid.content = content
    focused = [...grid.children].indexOf(grid.getRootNode().activeElement)
    grid.classList.toggle("small", Boolean(data.still))
    grid.replaceChildren(...data.tiles.map((tile, index) => makeTile(data, tile, index)))
  }
  grid.setAttribute("aria-label", data.label)
  if (data.still) return

  const buttons = [...grid.children]
  buttons.forEach((button, index) => (button.onclick = () => setTriggerValue("picked", data.tiles[index].sample)))
  rove(grid, buttons, () => buttons.filter(button => button.offsetTop === buttons[0].offsetTop).length)
  // A sample that a press has removed leaves the focus to the one in its place.
  if (focused >= 0) buttons[Math.min(focused, buttons.length - 1)]?.focus()

  const { opened, page } = grid
  grid.opened = data.opened
  grid.page = data.page
  if (opened != null && data.opened == null) {
    const place = sample => data.tiles.findIndex(tile => tile.sample === sample)
    focusAfterDialog(buttons[place(data.last)] ?? buttons[place(opened)])
  }
  // The button of another page may be below the samples; those of the new page are read from the top.
  if (page != null && page !== data.page && grid.getBoundingClientRect().top < 0) grid.scrollIntoView()
}

function makeTile(data, tile, index) {
  const part = document.createElement(data.still ? "div" : "button")
  if (data.still) {
    part.setAttribute("role", "img")
    part.setAttribute("aria-label", `${tile.caption} ${tile.note}`)
  } else {
    part.type = "button"
  }
  part.className = (tile.wrong ? "tile wrong" : "tile") + (data.still ? " still" : "")
  part.title = `${tile.caption} ${tile.note}`

  const lines = Math.ceil(data.tiles.length / data.columns)
  const percent = (place, count) => (count > 1 ? (100 * place) / (count - 1) : 0)
  const image = text("image", "")
  image.style.backgroundImage = `url(${data.sprite})`
  image.style.backgroundSize = `${100 * data.columns}% ${100 * lines}%`
  image.style.backgroundPosition =
    `${percent(index % data.columns, data.columns)}% ${percent(Math.floor(index / data.columns), lines)}%`

  const short = text("short", tile.short ?? tile.caption)
  short.setAttribute("aria-hidden", "true")
  part.append(image, text("caption", tile.caption), short, text("note", tile.note))
  return part
}

function text(className, content) {
  return Object.assign(document.createElement("span"), { className, textContent: content })
}
