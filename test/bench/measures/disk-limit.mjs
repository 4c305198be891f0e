import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** About the size of a journal line. */
const recordBytes = 600

/** Appends records, and syncs after every so many: what the disk allows, with nothing else to do. */
export default async function diskLimit({ folder, perSync, ms }) {
  const records = Buffer.alloc(recordBytes * perSync, 'x')
  const file = openSync(join(folder, 'limit'), 'a')
  const began = performance.now()
  let syncs = 0
  let now = began
  for (; now - began < ms; now = performance.now()) {
    writeSync(file, records)
    fdatasyncSync(file)
    syncs += 1
  }
  closeSync(file)
  return { rate: ((syncs * perSync) / (now - began)) * 1000, syncMs: (now - began) / syncs }
}
