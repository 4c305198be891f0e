import { test } from 'vitest'
import { crashScenarios } from './crash-scenarios.ts'
import { cutEverywhere, cutTwice, killEverywhere } from './crash-sweep.ts'

const scenarios = Object.entries(crashScenarios)
const minutes = 60_000

test.for(scenarios)('ST1 ST4 %s: many combinations of what a power cut leaves', { timeout: 5 * minutes }, ([, scenario]) =>
  cutEverywhere(scenario, 2_000),
)

test.for(scenarios)('ST1 ST6 %s: killed at any call of the disk', { timeout: 5 * minutes }, ([, scenario]) =>
  killEverywhere(scenario, 1),
)

test.for(scenarios)(
  'ST1 ST6 %s: the power cut once more while the store recovers from any power cut',
  { timeout: 5 * minutes },
  ([, scenario]) => cutTwice(scenario, 1),
)
