// Shows a drawing that the server made; as part of the page, it has the page's colours and fonts.
export default function ({ data, parentElement }) {
  const place = parentElement.querySelector(".place")
  if (place.innerHTML !== data) place.innerHTML = data
}
