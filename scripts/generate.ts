// Writes the parts of the documents that are made from the code.
import { writeFileSync } from 'node:fs'
import { generatedDocuments } from './generated/documents.ts'

for (const { path, present, wanted } of generatedDocuments()) {
  if (present === wanted) continue
  writeFileSync(new URL(`../${path}`, import.meta.url), wanted)
  console.log(`${path} was written anew.`)
}
