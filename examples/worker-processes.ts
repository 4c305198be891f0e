// Handlers that run in processes of their own: one that crashes, or that blocks its event loop, takes nothing down with it.
import { fileURLToPath } from 'node:url'
import { childProcesses, createFleet, type Json } from 'flotilla'

const program = fileURLToPath(new URL('workers/fragile.mjs', import.meta.url))
// The examples of this checkout run on its sources; in a program of yours `[process.execPath, program]` is enough.
const command = [process.execPath, ...process.execArgv, program] as const

const fleet = await createFleet({
  workers: [{ id: 'pool', slots: 2, transport: childProcesses({ command, handlers: ['divide', 'crash'] }) }],
})
const task = (id: string, handler: string, input: Json) => ({ id, name: id, instructions: 'x', handler, input })
const run = await fleet.start({
  name: 'fragile work',
  tasks: [
    ...[1, 2, 3].map((by) => task(`divide-by-${by}`, 'divide', { by })),
    { ...task('crash', 'crash', null), retry_policy: { max_attempts: 1 } },
  ],
})
const { receipts } = await run.result()
console.log(receipts['divide-by-3']?.output) //=> 4
console.log(receipts['crash']?.result, receipts['crash']?.failure_kind) //=> fail transport
console.log(receipts['crash']?.evidence) //=> Its worker was lost: it exited with code 7.
await fleet.close()
