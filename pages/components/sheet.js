// Hides the canvas's own toolbar: the page would not notice its undo, and its icons are too small for fingers.
const HIDDEN = new CSSStyleSheet()
HIDDEN.replaceSync(".dc-toolbar { display: none !important }")

export default function ({ data }) {
  let tries = 0
  const hide = () => {
    const parts = document.querySelectorAll(`.${data.canvas} *`)
    const root = [...parts].map(part => part.shadowRoot).find(shadow => shadow?.querySelector(".canvas-root"))
    if (root) root.adoptedStyleSheets = [...new Set([...root.adoptedStyleSheets, HIDDEN])]
    else if (++tries < 300) requestAnimationFrame(hide) // the canvas has not loaded yet
  }
  hide()
}
