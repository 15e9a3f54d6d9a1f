// One tab stop for a grid of buttons: the arrow keys, Home and End move inside it; `columns` returns its width in buttons.
function rove(grid, buttons, columns) {
  const stop = Math.max(0, buttons.findIndex(button => button.tabIndex === 0))
  const makeStop = chosen => buttons.forEach(button => (button.tabIndex = button === chosen ? 0 : -1))
  makeStop(buttons[stop])
  buttons.forEach(button => (button.onfocus = () => makeStop(button)))
  grid.onkeydown = event => {
    const place = buttons.indexOf(event.target)
    if (place < 0 || event.ctrlKey || event.metaKey || event.altKey) return
    const size = columns()
    const next = {
      ArrowLeft: place % size > 0 ? place - 1 : place,
      ArrowRight: place % size < size - 1 ? place + 1 : place,
      ArrowUp: place - size,
      ArrowDown: place + size,
      Home: 0,
      End: buttons.length - 1,
    }[event.key]
    if (next === undefined) return
    event.preventDefault()
    buttons[next]?.focus()
  }
}

// Focuses a button when a dialog has closed, which leaves the focus on the page's body.
function focusAfterDialog(button, tries = 40) {
  if (!button?.isConnected || tries === 0) return
  if (!document.querySelector('[role="dialog"]')) button.focus()
  if (button.getRootNode().activeElement !== button) setTimeout(() => focusAfterDialog(button, tries - 1), 50)
}
