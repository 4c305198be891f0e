import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Writes the file that the task's scorer looks at; its path is the first argument. */
export function writeEvidence(text) {
  const path = process.argv[2]
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** What the fleet tells a command: its task, the receipts of the attempts before, and what its dependencies left. */
export function readInput() {
  return JSON.parse(readFileSync(process.env.FLOTILLA_INPUT, 'utf8'))
}

/** Leaves an artifact: its kind is the file's name up to the dot. */
export function writeArtifact(name, text) {
  writeFileSync(join(process.env.FLOTILLA_ARTIFACTS, name), text)
}

/** Leaves the task's output, for its receipt and for the tasks that depend on it. */
export function writeOutput(json) {
  writeFileSync(join(process.env.FLOTILLA_FOLDER, 'output.json'), JSON.stringify(json))
}
