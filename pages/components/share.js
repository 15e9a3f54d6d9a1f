// Copies the link that reopens this page as it stands; where the browser forbids that, shows it to be copied by hand.
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
}
