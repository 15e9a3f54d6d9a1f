// Copies a link that opens this page in its current state; if the browser forbids copying, shows the link instead.
// Also writes the quiet values, such as a drawing, into the address without adding a step to the browser's Back.
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector(".copy")
  const status = parentElement.querySelector(".status")
  const field = parentElement.querySelector(".link")
  const { origin, pathname } = window.location
  // Community Cloud serves the app in a frame below /~/+/, which does not belong in a link.
  const url = origin + pathname.replace("/~/+", "") + (data.query ? "?" + data.query : "")
  button.dataset.url = url

  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(url)
      status.textContent = "Link copied"
      setTimeout(() => (status.textContent = ""), 3000)
    } catch {
      field.value = url
      field.style.display = "block"
      field.select()
      status.textContent = "Copy this link:"
    }
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
