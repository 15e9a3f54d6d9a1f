// The steps from the ink to the network's input: three pictures side by side.
export default function ({ data: { pictures, captions }, parentElement }) {
  const list = parentElement.querySelector(".steps")
  if (!list.children.length) {
    captions.forEach((caption, place) => {
      const arrow = Object.assign(document.createElement("li"), { className: "arrow", textContent: "→", role: "presentation" })
      arrow.setAttribute("aria-hidden", "true")
      const step = Object.assign(document.createElement("li"), { className: "step" })
      step.innerHTML = '<span class="place"><img></span><span class="caption"></span>'
      step.querySelector(".caption").textContent = caption
      list.append(...(place ? [arrow] : []), step)
    })
  }
  list.querySelectorAll("img").forEach((image, place) => {
    const shown = pictures[place]
    image.alt = shown?.alt ?? ""
    if (!shown) image.removeAttribute("src")
    else if (image.getAttribute("src") !== shown.picture) image.src = shown.picture
  })
}
