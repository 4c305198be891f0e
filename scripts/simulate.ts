// Plays the scenarios of test/simulation with many seeds: `npm run simulate -- --seeds N --minutes M --from SEED --scenario NAME`.
import { parseArgs } from 'node:util'
import { simulate } from '../src/testing/index.ts'
import { allFaults } from '../test/simulation/all-faults.ts'
import { scenarios } from '../test/simulation/scenarios.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '60' },
    from: { type: 'string', default: '0' },
    scenario: { type: 'string' },
  },
})
const chosen = scenarios.filter(({ name }) => values.scenario === undefined || name === values.scenario)
if (chosen.length === 0) {
  console.error(`There is no scenario ${values.scenario}. There are ${scenarios.map(({ name }) => name).join(', ')}.`)
  process.exit(2)
}
/** So many seeds are between two lines about how far it got. */
const tellEvery = 5_000
const each = Math.ceil(Number(values.seeds) / chosen.length)

for (const scenario of chosen) {
  const beganAt = performance.now()
  const seconds = (): string => ((performance.now() - beganAt) / 1_000).toFixed(1)
  let played = 0
  try {
    const report = await simulate(scenario, {
      seeds: Array.from({ length: each }, (_, index) => Number(values.from) + index),
      faults: allFaults,
      budgetMs: (Number(values.minutes) * 60_000) / chosen.length,
      onSeed() {
        played += 1
        if (played % tellEvery === 0) console.error(`${scenario.name}: ${played} seeds in ${seconds()} s so far`)
      },
    })
    console.log(`${scenario.name}: ${report.seeds} seeds in ${seconds()} s, every rule held`)
    for (const counts of [report.faults, report.situations])
      for (const [what, count] of Object.entries(counts).toSorted(([, a], [, b]) => b - a))
        console.log(`${String(count).padStart(9)}  ${what}`)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
