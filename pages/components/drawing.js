// Shows a drawing that the server made; as part of the page, it has the page's colours and fonts.
export default function ({ data, parentElement }) {
  const place = parentElement.querySelector(".place")
  if (place.innerHTML !== data) place.innerHTML = data
  // What scrolls must be within the keyboard's reach.
  const reach = new ResizeObserver(() => { place.tabIndex = place.scrollWidth > place.clientWidth ? 0 : -1 })
  reach.observe(place)
  return () => reach.disconnect()
}
