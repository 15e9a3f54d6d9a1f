// Streamlit gives every row of page numbers the same name, and a table that is wider than the screen no way to scroll it
// with the keyboard. This text stands before that of a component which every page has.
const NAMING_MILLISECONDS = 300 // between two looks at a page that changes all the time

function nameParts() {
  const rows = document.querySelectorAll('[data-testid="stPagination"] [role="navigation"]')
  rows.forEach((row, place) => (row.ariaLabel = rows.length > 1 ? `Page numbers ${place + 1}` : "Page numbers"))
  for (const table of document.querySelectorAll('[data-testid="stTable"] table')) {
    const frame = table.parentElement
    if (frame.scrollWidth <= frame.clientWidth) continue
    const columns = [...table.querySelectorAll("th, td")].slice(0, 3).map(cell => cell.textContent)
    Object.assign(frame, { tabIndex: 0, role: "region", ariaLabel: `Table: ${columns.join(", ")}` })
  }
}

if (!window.digitsNames) {
  let isWaiting = false
  window.digitsNames = new MutationObserver(() => {
    if (isWaiting) return
    isWaiting = true
    setTimeout(() => {
      isWaiting = false
      nameParts()
    }, NAMING_MILLISECONDS)
  })
  window.digitsNames.observe(document.body, { childList: true, subtree: true })
  nameParts()
}
