import { fleetTypeNames, frameTypeNames, jsonSchema } from '../protocol/index.ts'
import type { Verb } from './verb.ts'

export const schema: Verb = {
  takes: '[TYPE]',
  does: 'Prints the JSON Schema of a type of the contract or a line of the worker protocol, or the names of all.',
  least: 0,
  most: 1,
  options: [],
  async perform({ words, output }) {
    const [name] = words
    if (name === undefined) {
      const names = [...fleetTypeNames, ...frameTypeNames]
      output.text(...names)
      for (const type of names) output.row({ type })
      output.summary({ types: names.length })
      return 0
    }
    const made = jsonSchema(name)
    output.text(JSON.stringify(made, null, 2))
    output.summary({ type: name, schema: made })
    return 0
  },
}
