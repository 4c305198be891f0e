// Prints the story of the first rule that breaks within a thousand seeds.
import { simulate } from '../../src/testing/index.ts'
import { allFaults } from './all-faults.ts'
import { scenarios } from './scenarios.ts'

for (const scenario of scenarios) {
  try {
    await simulate(scenario, { seeds: 1_000 / scenarios.length, faults: allFaults })
  } catch (error) {
    console.log(error instanceof Error ? error.message : error)
    break
  }
}
