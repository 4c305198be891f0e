// Plays the recordings of a folder again, each a file, and prints where this code decides otherwise.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openRecording, replay } from '../../src/testing/index.ts'

const [folder = '.'] = process.argv.slice(2)
for (const name of (await readdir(folder)).sort()) {
  const { same, divergence } = await replay(await openRecording(join(folder, name)))
  console.log(same ? `${name} is decided the same` : divergence?.text)
}
