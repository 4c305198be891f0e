import { test } from 'vitest'
import { crashScenarios } from './crash-scenarios.ts'
import { cutEverywhere, cutTwice, killEverywhere } from './crash-sweep.ts'

const scenarios = Object.entries(crashScenarios)

test.for(scenarios)(
  'ST1 ST4 %s: whatever a power cut leaves of the disk, the store opens with all that it acknowledged',
  ([, scenario]) => cutEverywhere(scenario, 50),
)

test.for(scenarios)('ST1 ST6 %s: killed at a call of the disk, and the power cut while the next process works', ([, scenario]) =>
  killEverywhere(scenario, 7),
)

test('ST1 ST6 the power cut once more while the store recovers from a power cut', () =>
  cutTwice(crashScenarios['owners that crash and are taken over'], 8))
