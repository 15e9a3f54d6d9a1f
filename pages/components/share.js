// Shares a link that opens this page in its current state, by `shareLink` of links.js. If the browser forbids that, it
// shows the link. Also writes the quiet values, such as a drawing, into the address.
//
// The sheet may hold a drawing that the server has not got yet; the link and, once the page is left, the address hold it, too.
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

  const say = (text) => {
    status.textContent = text
    toast.classList.add("shown")
    clearTimeout(button.timer)
    if (field.hidden) button.timer = setTimeout(() => toast.classList.remove("shown"), SHOWN_MILLISECONDS)
  }

  button.onclick = async () => {
    field.hidden = true
    const link = new URL(url)
    lay(link, latest())
    const outcome = await shareLink(link.href)
    if (outcome === "copied") say("Link copied")
    if (outcome !== "forbidden") return
    field.hidden = false
    field.value = link.href
    say("Copy this link:")
    field.select()
  }
  toast.onkeydown = (event) => {
    if (event.key === "Escape") toast.classList.remove("shown")
  }

  // Returns the quiet values with the drawing as it is now.
  const latest = () => {
    const quiet = { ...data.quiet }
    const reply = text => (quiet.ink = text)
    if ("ink" in quiet) window.dispatchEvent(new CustomEvent("digits:do", { detail: { what: "link", reply } }))
    return quiet
  }

  const write = quiet => {
    const address = new URL(window.location.href)
    if (address.pathname !== pathname) return // on the way to another page
    lay(address, quiet)
    if (address.href !== window.location.href) window.history.replaceState(window.history.state, "", address)
  }
  const listeners = { popstate: () => write(data.quiet), pagehide: () => write(latest()) }
  listeners.popstate()
  button.leave?.()
  button.leave = () => Object.entries(listeners).forEach(one => window.removeEventListener(...one))
  Object.entries(listeners).forEach(one => window.addEventListener(...one))
  return () => button.leave()
}

// Lays values into an address; empty ones are left out.
function lay(address, values) {
  for (const [name, text] of Object.entries(values)) {
    text ? address.searchParams.set(name, text) : address.searchParams.delete(name)
  }
}
