// Shares a link through the system's sheet on a phone, else by copying it. Returns "shared", "copied" or, if the browser
// forbids both, "forbidden". This text stands before that of the components which share something.
async function shareLink(url) {
  if (window.matchMedia("(pointer: coarse)").matches && navigator.share) {
    try {
      await navigator.share({ title: document.title, url })
      return "shared"
    } catch (error) {
      if (error.name === "AbortError") return "shared" // the visitor closed the sheet
    }
  }
  try {
    await navigator.clipboard.writeText(url)
    return "copied"
  } catch {
    return "forbidden"
  }
}

// Returns the address of the page that is shown. Community Cloud serves the app in a frame below /~/+/, which does not
// belong in a link.
const pageAddress = () => window.location.origin + window.location.pathname.replace("/~/+", "")
