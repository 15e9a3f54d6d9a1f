// The race: several models on the same image, each with its own answer.
//
//   const race = await openRace()                  // all bundled models; or openRace({ models: ["softmax", …] })
//   race.read(reading.digits[0].image)             // [{ id, title, probabilities, best, name }, …]
//
// The simplest network comes first. A model that cannot be fetched is left out. All bundled models take about 7 MB, so
// open the race only when somebody wants to see it.
import { fetchNetwork } from "./network.js"

export async function openRace({ models, engine } = {}) {
  const ids = models ?? (await bundled())
  const entries = await Promise.allSettled(ids.map(id => fetchNetwork(id, { engine })))
  return new Race(entries.flatMap(entry => (entry.status === "fulfilled" ? [entry.value] : [])))
}

class Race {
  #networks

  constructor(networks) {
    this.#networks = networks
  }

  // Returns what each model makes of an image, Uint8Array(784) with ink 255.
  read(image) {
    return this.#networks.map(network => {
      const { id, title, classes } = network.facts
      const probabilities = network.probabilities(image)
      const best = probabilities.indexOf(Math.max(...probabilities))
      return { id, title, probabilities, best, name: classes[best] }
    })
  }
}

// Returns the ids of the bundled models, the simplest first.
async function bundled() {
  const answer = await fetch(new URL("../models", import.meta.url))
  if (!answer.ok) throw new Error("The list of models cannot be fetched. Reload the page.")
  return (await answer.json()).map(({ id }) => id)
}
