// Whether the server can be told something now. This text stands before that of the components which go on without it.
function isConnected() {
  const app = document.querySelector("[data-test-connection-state]")
  return !app || app.dataset.testConnectionState === "CONNECTED"
}
