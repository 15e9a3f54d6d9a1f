// A picture with a button over every digit; the arrow keys move between the buttons. With `data.crops`, a rectangle can be
// dragged on the picture, by the mouse at any time, by a finger or the keyboard after Crop is pressed.
const percent = share => `${100 * share}%`
const within = share => Math.min(1, Math.max(0, share))

export default function ({ data, parentElement, setTriggerValue }) {
  const frame = parentElement.querySelector(".frame")
  const ink = frame.querySelector(".ink")
  frame.style.maxWidth = `${data.width}px`
  frame.setAttribute("aria-label", data.label)
  const isSame = ink.getAttribute("src") === data.picture
  if (!isSame) ink.src = data.picture
  ink.alt = data.alt

  const buttons = [...frame.querySelectorAll(".digit")] // reused, so that a rerun neither flickers nor loses the focus
  while (buttons.length > data.digits.length) buttons.pop().remove()
  while (buttons.length < data.digits.length) {
    const button = Object.assign(document.createElement("button"), { type: "button" })
    button.append(document.createElement("span"))
    buttons.push(button)
    frame.append(button)
  }
  data.digits.forEach(({ box: [left, top, width, height], text, label, doubtful }, place) => {
    const button = buttons[place]
    button.className = doubtful ? "digit doubtful" : "digit"
    button.style.left = percent(left + width / 2)
    button.style.top = percent(top + height / 2)
    button.style.width = percent(width)
    button.style.height = percent(height)
    button.title = label
    button.setAttribute("aria-label", label)
    button.setAttribute("aria-pressed", String(place === data.chosen))
    button.firstChild.textContent = text
    button.onclick = () => setTriggerValue("picked", place)
  })
  frame.onkeydown = event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const place = buttons.indexOf(event.target)
    if (step === undefined || place < 0) return
    event.preventDefault()
    buttons[place + step]?.focus()
  }
  if (!isSame) cropping.delete(frame)
  if (data.crops) offerCrop(parentElement, frame, data.offer, part => setTriggerValue("cropped", part))
}

const cropping = new WeakMap() // the rectangle and the drag of each frame, kept when the page is run again meanwhile

function offerCrop(parentElement, frame, isOffered, send) {
  const tools = parentElement.querySelector(".tools")
  const [crop, hint] = [tools.querySelector(".crop"), tools.querySelector(".hint")]
  const shade = frame.querySelector(".shade")
  const rectangle = shade.querySelector(".part")
  const state = cropping.get(frame) ?? { isShown: false }
  cropping.set(frame, state)

  const draw = () => {
    const [left, top, right, bottom] = state.part
    Object.assign(rectangle.style, { left: percent(left), top: percent(top) })
    Object.assign(rectangle.style, { width: percent(right - left), height: percent(bottom - top) })
    const [x0, y0, x1, y1] = state.part.map(share => Math.round(100 * share))
    rectangle.setAttribute("aria-valuetext", `${x0} to ${x1}% across, ${y0} to ${y1}% down`)
    rectangle.setAttribute("aria-valuenow", x0)
  }
  const paint = () => {
    const { isShown } = state
    frame.classList.toggle("cropping", isShown)
    crop.setAttribute("aria-pressed", String(isShown))
    tools.className = isShown ? "tools active" : isOffered ? "tools offered" : "tools"
    if (isShown) draw()
  }
  const show = isShown => {
    Object.assign(state, { isShown, start: undefined, part: [0.1, 0.1, 0.9, 0.9] })
    paint()
  }
  const apply = () => {
    const { part } = state
    const [left, top, right, bottom] = part
    show(false)
    if (right - left > 0.01 && bottom - top > 0.01) send(part)
  }
  const at = event => {
    const { left, top, width, height } = frame.getBoundingClientRect()
    return [within((event.clientX - left) / width), within((event.clientY - top) / height)]
  }

  tools.hidden = false
  paint()
  crop.onclick = () => {
    show(!state.isShown)
    if (state.isShown) rectangle.focus({ preventScroll: true })
  }
  frame.onpointerdown = event => {
    const isMeant = state.isShown || event.pointerType === "mouse"
    if (!event.isPrimary || event.button !== 0 || !isMeant) return
    state.start = { point: at(event), x: event.clientX, y: event.clientY }
    state.isDragged = false
  }
  frame.onpointermove = event => {
    const { start } = state
    if (!start) return
    if (!state.isDragged && Math.hypot(event.clientX - start.x, event.clientY - start.y) < 6) return
    if (!state.isDragged) {
      state.isDragged = state.isShown = true
      frame.setPointerCapture(event.pointerId) // no digit is pressed at the end of a drag
      frame.classList.add("cropping")
    }
    const [x, y] = at(event)
    const [x0, y0] = start.point
    state.part = [Math.min(x, x0), Math.min(y, y0), Math.max(x, x0), Math.max(y, y0)]
    draw()
  }
  frame.onpointerup = () => {
    if (state.start && state.isDragged) apply()
    state.start = undefined
  }
  frame.onpointercancel = () => show(false)
  rectangle.onkeydown = event => {
    const move = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] }[event.key]
    if (event.key === "Enter") apply()
    else if (event.key === "Escape") show(false)
    else if (move) state.part = moved(state.part, move, event.shiftKey)
    else return
    event.preventDefault()
    event.stopPropagation()
    if (move) draw()
    else crop.focus()
  }
}

// Moves a rectangle, or only its right and lower edge.
function moved([left, top, right, bottom], [dx, dy], isResized) {
  const [width, height] = [right - left, bottom - top]
  if (isResized) return [left, top, Math.max(left + 0.02, within(right + dx)), Math.max(top + 0.02, within(bottom + dy))]
  const [x, y] = [Math.min(within(left + dx), 1 - width), Math.min(within(top + dy), 1 - height)]
  return [x, y, x + width, y + height]
}
