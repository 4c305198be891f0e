import { expect, test } from 'vitest'
import { faults, simulate } from '../../src/testing/index.ts'
import { allFaults } from './all-faults.ts'
import { scenarios } from './scenarios.ts'

// `npm run simulate` plays as many as there is time for; the long tests play two thousand.
const seeds = 120
/** Seconds on a machine that is idle, minutes on one that is not. */
const timeout = 120_000

test.each(scenarios)('DE4 the rules hold in $name when nothing goes wrong', { timeout }, async (scenario) => {
  const { situations } = await simulate(scenario, { seeds: seeds / 3, faults: faults({}) })
  expect(situations['an attempt failed and was tried again']).toBeGreaterThan(50)
})

test.each(scenarios)('DE3 DE4 the rules hold in $name whatever goes wrong', { timeout }, async (scenario) => {
  const { faults: struck, situations } = await simulate(scenario, { seeds, faults: allFaults })
  // Some are rare; the long tests see each of them a hundred times.
  expect(Object.keys(struck).length).toBeGreaterThan(Object.keys(allFaults.chances).length - 4)
  for (const seen of [
    'an attempt failed and was tried again',
    'an attempt was given back',
    'a live attempt was cancelled',
    'a task was restarted',
  ])
    expect(situations[seen], seen).toBeGreaterThan(5)
})
