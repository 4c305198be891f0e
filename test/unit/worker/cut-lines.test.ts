import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { createWorkerRuntime } from '../../../src/worker/create-worker-runtime.ts'
import type { AttemptContext } from '../../../src/worker/attempt.ts'
import { FleetSide, type StillLine } from '../../fixtures/fleet-side.ts'

/** Something that happens on the way: lines move, the line is cut and another takes its place, the fleet gives the next attempt. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('up' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('down' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('assign' as const), count: fc.constant(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), count: fc.constant(1) }) },
)

/** What each attempt does, and what the fleet must have taken of it, in this order. */
async function work(attempt: AttemptContext): Promise<string> {
  const text = readFileSync(`${attempt.root}/in/a.txt`, 'utf8')
  await attempt.log('begun')
  await attempt.artifact({ kind: 'report', name: 'a.txt', content: 'text' })
  await attempt.usage({ inputTokens: 1 })
  return `${attempt.task.id} ${text}`
}
const promised = (id: string) => [
  { type: 'accepted' },
  { type: 'log', text: 'begun\n' },
  { type: 'artifact', report: 1, kind: 'report', path: 'a.txt', bytes: 'dGV4dA==' },
  { type: 'usage', input_tokens: 1, output_tokens: 0 },
  { type: 'result', output: `${id} one two three` },
]

it('HO7 whatever is cut and wherever, nothing is lost, nothing is repeated, and no attempt begins twice', async () => {
  let lostLines = 0
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happenings) => {
      const clock = createVirtualClock()
      const fleet = new FleetSide({ shares_files: false }, { collects: true })
      const begun: string[] = []
      const runtime = createWorkerRuntime({
        ...{ clock, resumes: true, workerId: 'one', incarnation: 'first' },
        run: (task, attempt) => {
          begun.push(task.id)
          return work(attempt)
        },
      })
      let line: StillLine = fleet.line()
      void runtime.attach(line.connection)
      const reconnect = () => {
        lostLines += line.cut()
        line = fleet.line()
        void runtime.attach(line.connection)
      }
      const keys: { run_id: string; task_id: string; attempt: number }[] = []
      const acts = {
        up: (count: number) => line.up(count),
        down: (count: number) => line.down(count),
        cut: reconnect,
        assign: () => {
          const key = { run_id: 'run', task_id: `task-${keys.length + 1}`, attempt: 1 }
          keys.push(key)
          fleet.stage(key, { path: 'in/a.txt', pieces: ['one ', 'two ', 'three'] })
          fleet.assign(key)
        },
      }
      for (const { kind, count } of happenings) {
        acts[kind](count)
        await clock.settle()
      }
      reconnect()
      for (let round = 0; round < 15; round += 1) {
        line.up()
        line.down()
        await clock.settle()
      }
      expect(fleet.problems).toEqual([])
      expect(begun.toSorted()).toEqual(keys.map(({ task_id }) => task_id).toSorted())
      for (const key of keys) expect(fleet.said(key)).toEqual(promised(key.task_id))
      // Nothing is left to say: the worker has forgotten all of them.
      reconnect()
      line.up()
      expect(fleet.frames.filter(({ type }) => type === 'hello').at(-1)).toMatchObject({ attempts: [] })
      await runtime.close({ reason: 'the end', graceMs: 0 })
      await runtime.done
    }),
    { numRuns: 200 },
  )
  // Lines were lost indeed.
  expect(lostLines).toBeGreaterThan(200)
})
