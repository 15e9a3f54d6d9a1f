// What outlives a reload of this tab. This text stands before that of the components which keep something.
function keepOverReload(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value))
  } catch {} // forbidden, or full
}

// Returns what was kept before the reload that has just been; null after any other way to this page.
function keptOverReload(name) {
  if (performance.getEntriesByType("navigation")[0]?.type !== "reload") return null
  try {
    return JSON.parse(sessionStorage.getItem(name))
  } catch {
    return null
  }
}
