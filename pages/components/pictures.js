// Pictures that are brought to the sheet instead of drawn on it. This text stands after that of sheet.js, in one module.

// A picture that is pasted anywhere or dropped on the sheet goes to the page's own chooser of pictures.
const pasted = event => {
  if (!isField(event.composedPath()[0])) bring(event, event.clipboardData)
}

const hover = event => {
  if (![...event.dataTransfer.types].includes("Files")) return
  event.preventDefault()
  sheet.paper.classList.add("dropping")
}

const dropped = event => {
  sheet.paper.classList.remove("dropping")
  bring(event, event.dataTransfer)
}

async function bring(event, given) {
  const files = [...(given?.files ?? [])].filter(file => file.type.startsWith("image/"))
  if (!files.length) return
  event.preventDefault()
  hurry()
  const chosen = new DataTransfer()
  files.forEach(file => chosen.items.add(file))
  const buttons = [...document.querySelectorAll(`.${sheet.data.sources} button`)]
  buttons.find(button => button.textContent.includes("Picture"))?.click()
  for (let tries = 0; tries < 300; tries++) {
    const field = document.querySelector(`.${sheet.data.chooser} input[type=file]`)
    if (field) {
      field.files = chosen.files
      field.dispatchEvent(new Event("change", { bubbles: true }))
      return
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
