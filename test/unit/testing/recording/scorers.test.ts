import { expect, test } from 'vitest'
import { createFleet } from '../../../../src/index.ts'
import type { FleetOptions, Verifier } from '../../../../src/index.ts'
import type { CheckRunner } from '../../../../src/ports/check-runner.ts'
import { seededIds } from '../../../../src/host/seeded-ids.ts'
import { createMemoryStore } from '../../../../src/store/memory.ts'
import { memoryFiles } from '../../../../src/testing/memory-files.ts'
import { createVirtualClock, openRecording, replay } from '../../../../src/testing/index.ts'
import { task } from '../../../support/bench-fleet.ts'
import { createTestTransport } from '../../../support/test-transport.ts'

const again = { retry_policy: { max_attempts: 2, initial_backoff_seconds: 1 } }

/** Records a fleet whose tasks `command` and `prompt` are each judged twice, and plays the recording again. */
async function recorded(options: Pick<FleetOptions, 'verifier'>) {
  const clock = createVirtualClock()
  const ids = seededIds('scorers')
  let asked = 0
  let completed = 0
  const checks: CheckRunner = {
    enforces: { network: false, fileWrites: false, environment: false, processes: false },
    async run({ key }) {
      asked += 1
      return { exitCode: key.attempt === 1 ? 1 : 0, output: 'checked', score: { value: key.attempt } }
    },
  }
  const transport = createTestTransport({ checks })
  const until = async <Value>(promise: Promise<Value>): Promise<Value> => {
    let isSettled = false
    const settle = (): void => void (isSettled = true)
    promise.then(settle, settle)
    const giveUpAt = performance.now() + 20_000
    for (let turns = 1; !isSettled; turns += 1) {
      if (performance.now() > giveUpAt) throw new Error('What was waited for did not come.')
      for (const held of transport.attempts.slice(completed)) held.complete({ exit_code: 0 })
      completed = transport.attempts.length
      await (turns % 50 === 0 ? clock.step() : new Promise((resolve) => setImmediate(resolve)))
    }
    return promise
  }
  const fleet = await until(
    createFleet({
      ...options,
      ...{ clock, ids, files: memoryFiles({ '/workspace/there.txt': 'here' }), workspace: '/workspace', record: true },
      store: createMemoryStore({ clock, ids }),
      workers: [{ id: 'w1', transport, slots: 2 }],
    }),
  )
  const run = await until(
    fleet.start({
      name: 'r',
      tasks: [
        task('command', { scorer: { kind: 'command', command: 'check' }, ...again }),
        task('prompt', { scorer: { kind: 'code_whale_verifier_prompt', prompt: 'ok?' }, ...again }),
      ],
    }),
  )
  await until(run.result())
  const receipts = (await until(run.receipts())).map(({ task_id, attempt, result }) => `${task_id}/${attempt} ${result}`)
  await until(fleet.close())
  const recording = await openRecording(await fleet.recording())
  const before = asked
  const { divergence, ...outcome } = await replay(recording)
  expect(divergence?.text).toBeUndefined()
  expect(outcome).toEqual({ same: true, steps: recording.steps.length })
  const answers = recording.steps.flatMap(({ recorded: step }) =>
    step?.input.kind === 'answer' ? [step.input.to.split(' ', 1)[0]] : [],
  )
  return { receipts: receipts.toSorted(), scores: answers.filter((to) => to === 'score').length, askedByReplay: asked - before }
}

test('CO2 what commands and a verifier said is played again, and neither is asked', async () => {
  let judged = 0
  const verifier: Verifier = ({ attempt }) => ((judged += 1), { value: attempt === 1 ? 0 : 1 })
  expect(await recorded({ verifier })).toEqual({
    receipts: ['command/1 fail', 'command/2 pass', 'prompt/1 fail', 'prompt/2 pass'],
    scores: 4,
    askedByReplay: 0,
  })
  expect(judged).toBe(2)
})

test('CO2 a fleet without a verifier is played again as one without', async () => {
  expect(await recorded({})).toEqual({
    receipts: ['command/1 fail', 'command/2 pass', 'prompt/1 partial'],
    scores: 2,
    askedByReplay: 0,
  })
})
