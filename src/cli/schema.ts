import { fleetTypeNames, jsonSchema } from '../protocol/index.ts'
import type { Verb } from './verb.ts'

export const schema: Verb = {
  takes: '[TYPE]',
  does: 'Prints the JSON Schema of a type of the contract, or the names of all types.',
  least: 0,
  most: 1,
  options: [],
  async perform({ words, output }) {
    const [name] = words
    if (name === undefined) {
      output.text(...fleetTypeNames)
      for (const type of fleetTypeNames) output.row({ type })
      output.summary({ types: fleetTypeNames.length })
      return 0
    }
    const made = jsonSchema(name)
    output.text(JSON.stringify(made, null, 2))
    output.summary({ type: name, schema: made })
    return 0
  },
}
