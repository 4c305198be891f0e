import { expect, test } from 'vitest'
import { faults, simulate } from '../../src/testing/index.ts'
import { scenarios } from './scenarios.ts'

/** Seconds on a machine that is idle, minutes on one that is not. */
const timeout = 120_000

test.each(scenarios)('DE4 the rules hold in $name when nothing goes wrong', { timeout }, async (scenario) => {
  const { situations } = await simulate(scenario, { seeds: 40, faults: faults({}) })
  expect(situations['an attempt failed and was tried again']).toBeGreaterThan(50)
})

test('SC1 what one append held of two runs is looked at together, also when nobody heard of the append', async () => {
  const exactly = [
    { kind: 'worker.crash', at: 1 },
    { kind: 'crash.after-append', at: 19 },
    { kind: 'store.lost', at: 21 },
  ] as const
  const busy = scenarios.find(({ name }) => name === 'busy')!
  const report = await simulate(busy, { seeds: ['2296'], size: 5, faults: faults({ exactly }) })
  expect(report.faults).toEqual({ 'worker.crash': 1, 'crash.after-append': 1, 'store.lost': 1 })
})

test('RU10 a run that stalls right after a fleet was opened is heard to be stalled', async () => {
  const exactly = [
    { kind: 'worker.stall', at: 2 },
    { kind: 'crash.after-effect', at: 12 },
  ] as const
  const busy = scenarios.find(({ name }) => name === 'busy')!
  const { situations } = await simulate(busy, { seeds: ['18566'], size: 8, faults: faults({ exactly }) })
  expect(situations['a run was stalled']).toBeGreaterThan(0)
})
