// Shares a link that opens this page in its current state, by `shareLink` of links.js. If the browser forbids that, it
// shows the link. Also writes the quiet values, such as a drawing, into the address.
const SHOWN_MILLISECONDS = 3000

// Streamlit pushes a step of the browser's history whenever a page writes its address. Replacing the present step
// instead, Back leads to the page before at the first press.
if (!window.history.digitsReplaces) {
  window.history.digitsReplaces = true
  const push = window.history.pushState.bind(window.history)
  window.history.pushState = (state, title, url) => {
    const isSamePage = new URL(url ?? "", window.location.href).pathname === window.location.pathname
    isSamePage ? window.history.replaceState(state, title, url) : push(state, title, url)
  }
}

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector(".copy")
  const toast = parentElement.querySelector(".toast")
  const status = parentElement.querySelector(".status")
  const field = parentElement.querySelector(".link")
  const { pathname } = window.location
  const url = pageAddress() + (data.query ? "?" + data.query : "")
  button.dataset.url = url

  const say = (text) => {
    status.textContent = text
    toast.classList.add("shown")
    clearTimeout(button.timer)
    if (field.hidden) button.timer = setTimeout(() => toast.classList.remove("shown"), SHOWN_MILLISECONDS)
  }

  button.onclick = async () => {
    field.hidden = true
    const outcome = await shareLink(url)
    if (outcome === "copied") say("Link copied")
    if (outcome !== "forbidden") return
    field.hidden = false
    field.value = url
    say("Copy this link:")
    field.select()
  }
  toast.onkeydown = (event) => {
    if (event.key === "Escape") toast.classList.remove("shown")
  }

  const keepQuiet = () => {
    const address = new URL(window.location.href)
    if (address.pathname !== pathname) return // on the way to another page
    for (const [name, text] of Object.entries(data.quiet)) {
      text ? address.searchParams.set(name, text) : address.searchParams.delete(name)
    }
    if (address.href !== window.location.href) window.history.replaceState(window.history.state, "", address)
  }
  keepQuiet()
  window.addEventListener("popstate", keepQuiet)
  return () => window.removeEventListener("popstate", keepQuiet)
}
