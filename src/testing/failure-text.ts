import type { SimulationFailure } from './simulate.ts'

/** A failure as a person reads it: what broke, how it came to be, and how to see it again. */
export function describeFailure({ scenario, seed, size, faults, violation, replays }: SimulationFailure): string {
  const exactly = faults.map((fault) => `  ${JSON.stringify(fault)},`)
  return [
    `The scenario “${scenario}” broke a rule with seed ${seed}, ${violation.at / 1_000} s after it began.`,
    '',
    `  ${violation.invariant}`,
    `  ${violation.message.replaceAll('\n', '\n  ')}`,
    '',
    faults.length === 0 ? 'Nothing had gone wrong before.' : `It takes ${faults.length} of the faults (${replays} replays):`,
    ...exactly,
    '',
    `Play it again: simulate(scenario, { seeds: ['${seed}'], size: ${size}, faults: faults({ exactly: [ these ] }) })`,
    ...(violation.story === '' ? [] : ['', 'The run:', violation.story]),
  ].join('\n')
}
