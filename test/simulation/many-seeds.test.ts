import { expect, test } from 'vitest'
import { simulate } from '../../src/testing/index.ts'
import { allFaults } from './all-faults.ts'
import { scenarios } from './scenarios.ts'

// Less is told than stored: these would strike too seldom.
const effects = { 'crash.before-effect': 0.01, 'crash.after-effect': 0.01, 'told.drop': 0.02 }
const plan = { ...allFaults, chances: { ...allFaults.chances, ...effects } }

/** Under a minute on a machine that is idle. */
const timeout = 300_000

test('DE3 DE4 the rules hold in two thousand seeds, in which every fault strikes a hundred times', { timeout }, async () => {
  const struck: Record<string, number> = {}
  for (const scenario of scenarios) {
    const report = await simulate(scenario, { seeds: 2_000 / scenarios.length, faults: plan })
    for (const [kind, count] of Object.entries(report.faults)) struck[kind] = (struck[kind] ?? 0) + count
    for (const seen of [
      'an attempt failed and was tried again',
      'an attempt was given back',
      'a live attempt was cancelled',
      'a task was restarted',
    ])
      expect(report.situations[seen], `${scenario.name}: ${seen}`).toBeGreaterThan(20)
  }
  for (const [kind, chance] of Object.entries(plan.chances))
    if (chance > 0) expect(struck[kind], kind).toBeGreaterThanOrEqual(100)
})
