// All samples are in one picture; each tile shows its part of it. Tiles are buttons unless `still` is set.
export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector(".grid")
  const lines = Math.ceil(data.tiles.length / data.columns)
  const percent = (index, count) => (count > 1 ? (100 * index) / (count - 1) : 0)
  grid.setAttribute("aria-label", data.label)
  grid.classList.toggle("small", Boolean(data.still))

  const tiles = data.tiles.map((tile, index) => {
    const button = document.createElement(data.still ? "div" : "button")
    if (data.still) button.setAttribute("role", "img")
    else button.type = "button"
    button.className = (tile.wrong ? "tile wrong" : "tile") + (data.still ? " still" : "")
    button.setAttribute("aria-label", tile.label)
    button.title = tile.label
    if (!data.still) button.onclick = () => setTriggerValue("picked", tile.sample)

    const image = document.createElement("span")
    image.className = "image"
    image.style.backgroundImage = `url(${data.sprite})`
    image.style.backgroundSize = `${100 * data.columns}% ${100 * lines}%`
    image.style.backgroundPosition =
      `${percent(index % data.columns, data.columns)}% ${percent(Math.floor(index / data.columns), lines)}%`

    const caption = document.createElement("span")
    caption.className = "caption"
    caption.textContent = tile.caption
    button.append(image, caption)
    return button
  })
  grid.replaceChildren(...tiles)
}
