import fc from 'fast-check'
import { expect } from 'vitest'
import type { CrashState } from '../../../support/disk-model/crash-states.ts'
import { chosenState, crashStates } from '../../../support/disk-model/crash-states.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { mortalDisk } from '../../../support/disk-model/mortal-disk.ts'
import { modelStore, Witness } from './witness.ts'

type Scenario = (witness: Witness) => Promise<void>

/** Each state that a power cut may leave, once: with the most that had been promised by then. */
export function distinctStates(disk: ModelDisk): readonly CrashState[] {
  const states = new Map<string, CrashState>()
  for (let after = 0; after <= disk.steps.length; after += 1)
    for (const state of crashStates(disk, after)) states.set(state.tree.fingerprint, state)
  return [...states.values()]
}

/** Cuts the power after every step, with every single deviation, and with `pairs` combinations of several. */
export async function cutEverywhere(scenario: Scenario, pairs: number): Promise<void> {
  const witness = new Witness()
  await scenario(witness)
  const states = distinctStates(witness.disk)
  expect(states.length).toBeGreaterThan(50)
  for (const state of states) await witness.examine(state)
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: witness.disk.steps.length }),
      fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 6 }),
      async (after, choices) => witness.examine(chosenState(witness.disk, after, choices)),
    ),
    { numRuns: pairs },
  )
}

/** Kills the process at every `stride`th call of the disk; cuts the power after each step of the next process, which stores more. */
export async function killEverywhere(scenario: Scenario, stride: number): Promise<void> {
  const whole = new ModelDisk()
  const alive = mortalDisk(whole, Number.POSITIVE_INFINITY)
  await scenario(new Witness(whole, alive.disk))
  expect(alive.calls()).toBeGreaterThan(20)
  for (let last = 0; last < alive.calls(); last += stride) {
    const disk = new ModelDisk()
    const witness = new Witness(disk, mortalDisk(disk, last).disk)
    await scenario(witness).catch(() => undefined)
    const killedAt = disk.steps.length
    await witness.crash()
    await witness.goOn()
    await witness.put('run-1', 'a log')
    const lost = disk.steps.slice(killedAt).map((_, step) => chosenState(disk, killedAt + 1 + step, [1]))
    for (const state of new Map(lost.map((one) => [one.tree.fingerprint, one])).values()) await witness.examine(state)
  }
}

/** Cuts the power, and once more while the store recovers from that, at every `stride`th state. */
export async function cutTwice(scenario: Scenario, stride: number): Promise<void> {
  const witness = new Witness()
  await scenario(witness)
  const states = distinctStates(witness.disk)
  const seen = new Set<string>()
  for (let place = 0; place < states.length; place += stride) {
    const { tree, after, story } = states[place] as CrashState
    const disk = new ModelDisk(tree)
    await modelStore(disk).open({ instance: 'recovering' })
    for (const again of distinctStates(disk)) {
      if (seen.has(again.tree.fingerprint)) continue
      seen.add(again.tree.fingerprint)
      await witness.examine({ tree: again.tree, after, story: `${story}; then ${again.story}` })
    }
  }
}
