// Undo, Redo and Clear for the sheet, which says on the window what can be undone.
const say = detail => window.dispatchEvent(new CustomEvent("digits:do", { detail }))

export default function ({ parentElement }) {
  const buttons = Object.fromEntries([...parentElement.querySelectorAll("button")].map(one => [one.dataset.what, one]))
  if (parentElement.isReady) return
  parentElement.isReady = true
  const follow = ({ detail: { canUndo, canRedo, isEmpty } }) => {
    for (const [what, can] of Object.entries({ undo: canUndo, redo: canRedo, clear: !isEmpty })) {
      buttons[what].setAttribute("aria-disabled", String(!can))
    }
  }
  for (const [what, button] of Object.entries(buttons)) button.onclick = () => say({ what })
  window.addEventListener("digits:ink", follow)
  say({ what: "hello" })
  return () => {
    window.removeEventListener("digits:ink", follow)
    parentElement.isReady = false
  }
}
