// Copies the link that reopens this page as it stands; where the browser forbids that, shows it to be copied by hand.
// Keeps the quiet values, such as a drawing, in the address, where they make no step of the browser's Back.
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector(".copy")
  const status = parentElement.querySelector(".status")
  const field = parentElement.querySelector(".link")
  const { origin, pathname } = window.location
  // Community Cloud shows the app in a frame below /~/+/, which a visitor's link does without.
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
