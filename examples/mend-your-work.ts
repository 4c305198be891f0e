// An agent that mends its work: its first attempt fails its verifier, the next one reads the verdict and the receipt, and passes.
import { createFleet } from 'flotilla'
import type { AttemptContext, Verifier } from 'flotilla'

/** Stands for a model that writes a release note. It does better once it is told what was wrong. */
function writeNote({ number, previous }: AttemptContext) {
  const verdict = previous.at(-1)
  console.log(`attempt ${number} reads: ${verdict?.score?.notes ?? 'nothing yet'}`)
  return { title: 'Release 2', breaking: verdict === undefined ? [] : ['`open` is now `connect`'] }
}

/** Stands for a model that judges. Its notes are for the writer. */
const verifier: Verifier = ({ prompt, output, previous }) => {
  const { breaking } = output as { breaking: string[] }
  console.log(`asked, after ${previous.length} receipts: ${prompt}`)
  return breaking.length > 0
    ? { value: 9, max: 10, notes: 'complete', pass: true }
    : { value: 4, max: 10, notes: 'it does not say what breaks', pass: false }
}

const fleet = await createFleet({ handlers: { write: writeNote }, verifier })
const run = await fleet.start({
  name: 'release note',
  tasks: [
    {
      id: 'note',
      name: 'Write the note',
      instructions: 'Write the release note.',
      handler: 'write',
      scorer: { kind: 'code_whale_verifier_prompt', prompt: 'Does it say what breaks?' },
      retry_policy: { max_attempts: 3, initial_backoff_seconds: 0, retry_on: ['task', 'verifier'] },
    },
  ],
})
//=> attempt 1 reads: nothing yet
//=> asked, after 0 receipts: Does it say what breaks?
//=> attempt 2 reads: it does not say what breaks
//=> asked, after 1 receipts: Does it say what breaks?
const { status } = await run.result()
const receipts = await run.receipts('note')

console.log(status) //=> completed
console.log(receipts.map(({ attempt, result, score }) => `${attempt}: ${result} ${score?.value}`).join(', ')) //=> 1: fail 4, 2: pass 9
await fleet.close()
