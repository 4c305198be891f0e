// A fleet records what comes to it. Later the recording is stepped through, and played again: to see that today's code decides the same,
// and where another setting would not have.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFleet, defineTask, jsonStore } from 'flotilla'
import { assertRun, openRecording, replay } from 'flotilla/testing'

const build = defineTask({
  name: 'build',
  run({ number }) {
    if (number === 1) throw new Error('no compiler')
    return 'built'
  },
})

const folder = await mkdtemp(join(tmpdir(), 'flotilla-example-'))
const fleet = await createFleet({ store: jsonStore({ folder }), handlers: { build }, record: true })
const retry_policy = { max_attempts: 2, initial_backoff_seconds: 1 }
const run = await fleet.start({ name: 'night', tasks: [build.task({ id: 'app', retry_policy })] })
await run.result()
await fleet.close()

// In a test, on another day, perhaps on another machine.
const recording = await openRecording(folder)
for (const { number, entries } of recording.steps) {
  if (!entries.some(({ entry }) => entry.task === 'app')) continue
  const { status, attempt } = await (await recording.at(number)).run(run.id).task('app')
  console.log('app', status, attempt)
}
//=> app running 1
//=> app backoff 1
//=> app running 2
//=> app completed 2
await assertRun((await recording.at()).run(run.id), { status: 'completed', tasks: { app: { output: 'built' } } })

console.log((await replay(recording)).same) //=> true

const { divergence } = await replay(recording, { limits: { attemptTimeoutMs: 60_000 } })
console.log(divergence?.kind, divergence?.task, divergence?.text.includes('set.timeoutMs: 1800000 recorded, 60000 now')) //=> entry app true
await rm(folder, { recursive: true })
