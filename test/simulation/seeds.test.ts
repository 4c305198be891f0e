import { expect, test } from 'vitest'
import { faults, simulate } from '../../src/testing/index.ts'
import { scenarios } from './scenarios.ts'

/** Seconds on a machine that is idle, minutes on one that is not. */
const timeout = 120_000

test.each(scenarios)('DE4 the rules hold in $name when nothing goes wrong', { timeout }, async (scenario) => {
  const { situations } = await simulate(scenario, { seeds: 40, faults: faults({}) })
  expect(situations['an attempt failed and was tried again']).toBeGreaterThan(50)
})
