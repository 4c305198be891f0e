// Says who signed off: the receipt of the settled task tells.
import { readInput, writeArtifact } from './evidence.mjs'

const { by, why } = readInput().dependencies['sign-off'].receipt.settled
const note = `Signed off by ${by}${why === undefined ? '' : `: ${why}`}`
writeArtifact('release-note.md', `${note}\n`)
console.log(note)
