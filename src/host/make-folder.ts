import { mkdirSync } from 'node:fs'

/** Makes a folder and those above it, at once: for a property that must be true when it is read. */
export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true })
}
