// "Not right? It is a 4": the classes as buttons, or as a list if there are many; and how many corrections there are.
//
// The sheet's `digits:ink` says which drawing it is (see sheet.js): the server may hear of it only when something is pressed here.
const FEW = 12 // classes that fit beside each other

export default function ({ data, parentElement, setTriggerValue }) {
  const find = name => parentElement.querySelector(`.${name}`)
  const [ask, choices, kept, undo, learn] = ["ask", "choices", "kept", "undo", "learn"].map(find)
  if (parentElement.place !== data.place) open(false) // another of its digits
  parentElement.place = data.place
  parentElement.leave?.()
  window.addEventListener("digits:ink", follow)
  parentElement.leave = () => window.removeEventListener("digits:ink", follow)

  ask.textContent = data.question
  ask.hidden = !data.question || Boolean(data.kept)
  kept.textContent = data.said
  undo.hidden = !data.kept
  learn.textContent = data.offer
  learn.hidden = !data.offer
  if (ask.hidden) open(false)

  ask.onclick = () => open(choices.hidden)
  undo.onclick = () => setTriggerValue("undone", data.kept)
  learn.onclick = () => setTriggerValue("opened", true)

  function follow({ detail: { serial } }) {
    if (parentElement.serial !== serial) open(false) // a new drawing
    parentElement.serial = serial
  }

  function open(isOpen) {
    ask.setAttribute("aria-expanded", String(isOpen))
    choices.hidden = !isOpen
    choices.setAttribute("aria-label", data.question)
    while (choices.children.length > 1) choices.lastChild.remove()
    if (isOpen) choices.append(...(data.names.length <= FEW ? data.names.map(button) : [list()]))
  }

  function button(name) {
    const one = Object.assign(document.createElement("button"), { type: "button", className: "choice", textContent: name })
    one.setAttribute("aria-label", `It is ${name}`)
    one.onclick = () => choose(name)
    return one
  }

  function list() {
    const all = document.createElement("select")
    all.setAttribute("aria-label", "It is")
    all.append(new Option("…", ""), ...data.names.map(name => new Option(name, name)))
    all.onchange = () => all.value && choose(all.value)
    return all
  }

  function choose(label) {
    setTriggerValue("labelled", { label, serial: parentElement.serial ?? data.serial, place: data.place })
  }

  return () => parentElement.leave()
}
