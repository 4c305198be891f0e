import { expect, test } from 'vitest'
import { openRecording, replay } from '../../src/testing/index.ts'
import { fullSize, playSeed } from '../../src/testing/simulation.ts'
import { allFaults } from './all-faults.ts'
import { scenarios } from './scenarios.ts'

/** Records so many seeds of every scenario, with everything going wrong, and plays each recording again. */
export function replayRecordedSeeds(
  seeds: number,
  expected: { readonly kindsOfFaults: number; readonly openings: number },
): void {
  test.each(scenarios)(
    'CO2 whatever goes wrong in $name, its recording is decided again the same',
    { timeout: 180_000 },
    async (scenario) => {
      const struck = new Set<string>()
      let openings = 0
      for (let seed = 0; seed < seeds; seed += 1) {
        const outcome = await playSeed(
          { ...scenario, fleet: { ...scenario.fleet, record: true } },
          { seed: `recorded ${seed}`, size: fullSize, faults: allFaults, invariants: {} },
        )
        expect(outcome.violation).toBeUndefined()
        for (const { kind } of outcome.struck) struck.add(kind)
        const recording = await openRecording(outcome.recording)
        openings = Math.max(openings, recording.steps.filter(({ text }) => text.startsWith('open was called')).length)
        const { same, steps, divergence } = await replay(recording)
        expect(divergence?.text, `seed ${seed}`).toBeUndefined()
        expect({ same, steps }).toEqual({ same: true, steps: recording.steps.length })
      }
      // It means something only where things did go wrong.
      expect(struck.size).toBeGreaterThanOrEqual(expected.kindsOfFaults)
      expect(openings).toBeGreaterThanOrEqual(expected.openings)
    },
  )
}
