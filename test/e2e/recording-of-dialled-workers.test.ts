import { expect, onTestFinished, test } from 'vitest'
import { dialIn } from 'flotilla'
import { openRecording, replay } from 'flotilla/testing'
import { until } from '../fixtures/processes.ts'
import { httpFleet, testToken } from '../support/http-fleet.ts'

test('CO2 a fleet with workers that dial in, one of them cut off in the middle, is decided again the same', async () => {
  const world = await httpFleet({
    record: true,
    workers: [{ id: 'w1', transport: dialIn({ handlers: ['work'], token: testToken }) }],
    limits: { leaseTtlMs: 3_000 },
    handler: { attach: { admit: () => ({ handlers: ['other'], token: testToken }) } },
  })
  onTestFinished(() => world[Symbol.asyncDispose]())
  const { fleet, proxy } = world
  let said = 0
  const handlers = {
    async work(attempt: { tool(name: string): Promise<void>; delay(ms: number): Promise<void> }) {
      for (said = 0; said < 20; said += 1) {
        await attempt.tool('count')
        await attempt.delay(20)
      }
      return 'done'
    },
  }
  const run = await fleet.start({
    name: 'r',
    tasks: ['work', 'other'].map((handler) => ({ id: handler, name: handler, instructions: 'Work.', handler })),
  })
  world.connect({ handlers })
  world.connect({ workerId: 'w2', handlers: { other: () => 'other' } })
  await until(() => said >= 3)
  proxy.cut()
  await new Promise((resolve) => setTimeout(resolve, 100))
  proxy.heal()
  const { receipts } = await run.result()
  expect(receipts).toMatchObject({ work: { output: 'done', worker_id: 'w1' }, other: { output: 'other', worker_id: 'w2' } })

  const bytes = await fleet.recording()
  expect(new TextDecoder().decode(bytes)).not.toContain(testToken)
  const recording = await openRecording(bytes)
  expect(recording.steps.length).toBeGreaterThan(20)
  expect(await replay(recording)).toEqual({ same: true, steps: recording.steps.length })
})
