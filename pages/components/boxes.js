// The ink as a picture, with a button over every digit. The arrow keys move between the buttons.
export default function ({ data, parentElement, setTriggerValue }) {
  const frame = parentElement.querySelector(".frame")
  const ink = frame.querySelector(".ink")
  frame.style.maxWidth = `${data.width}px`
  frame.setAttribute("aria-label", data.label)
  if (ink.getAttribute("src") !== data.picture) ink.src = data.picture
  ink.alt = data.alt

  const buttons = [...frame.querySelectorAll("button")] // reused, so that a rerun neither flickers nor loses the focus
  while (buttons.length > data.digits.length) buttons.pop().remove()
  while (buttons.length < data.digits.length) {
    const button = Object.assign(document.createElement("button"), { type: "button" })
    button.append(document.createElement("span"))
    buttons.push(button)
    frame.append(button)
  }
  const percent = share => `${100 * share}%`
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
    const next = buttons[buttons.indexOf(event.target) + step]
    if (step === undefined) return
    event.preventDefault()
    next?.focus()
  }
}
