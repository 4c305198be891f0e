// A process is killed with SIGKILL in the middle of a run; the next one opens the same folder and carries the run on.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFleet, defineTask, jsonStore } from 'flotilla'

const step = defineTask({
  name: 'step',
  run({ task, number }) {
    // As a power cut would: no warning, nothing is flushed, nobody says goodbye.
    if (task.id === 'second' && number === 1) process.kill(process.pid, 'SIGKILL')
    return `${task.id} at attempt ${number}`
  },
})

const given = process.argv[2]
const folder = given ?? (await mkdtemp(join(tmpdir(), 'flotilla-example-')))
if (given === undefined) {
  const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, folder], { stdio: 'inherit' })
  const [, signal] = await once(child, 'exit')
  console.log('the first process was ended by', signal) //=> the first process was ended by SIGKILL
}

const fleet = await createFleet({ store: jsonStore({ folder }), handlers: { step } })
// The same key gives the same run, whichever process asks first (RU2).
const run = await fleet.start(
  {
    name: 'steps',
    tasks: [
      step.task({ id: 'first' }),
      step.task({ id: 'second', depends_on: ['first'] }),
      step.task({ id: 'third', depends_on: ['second'] }),
    ],
  },
  { idempotencyKey: 'steps-1' },
)
const result = await run.result()

console.log(run.created, result.status) //=> false completed
console.log(result.output(step, 'first')) //=> first at attempt 1
console.log(result.output(step, 'second')) //=> second at attempt 2
// The attempt that the crash cut off was released: it has no receipt, and counts against no retry budget (LE8).
console.log((await run.receipts('second')).map((receipt) => receipt.attempt)) //=> [ 2 ]
await fleet.close()
await rm(folder, { recursive: true })
