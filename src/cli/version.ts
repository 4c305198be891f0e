import { readFile } from 'node:fs/promises'
import type { Verb } from './verb.ts'

export const version: Verb = {
  takes: '',
  does: 'Prints the version.',
  least: 0,
  most: 0,
  options: [],
  async perform({ output }) {
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      readonly version: string
    }
    output.text(manifest.version)
    output.summary({ version: manifest.version })
    return 0
  },
}
