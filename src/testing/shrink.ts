import { faults as planOf } from './faults.ts'
import type { Fault, FaultPlan } from './faults.ts'
import type { Invariant } from './invariants.ts'
import { playSeed } from './simulation.ts'
import type { Scenario, SeedOutcome, Violation } from './simulation.ts'

interface Played {
  readonly seed: string
  readonly size: number
  readonly faults: FaultPlan
  readonly invariants: Readonly<Record<string, Invariant>>
}

type Failed = SeedOutcome & { readonly violation: Violation }

/** So often is a failure played again. */
const mostReplays = 200

const smallSizes = [1, 2, 3, 5, 8, 13, 21, 50]

/** Makes a failure small: fewer things in the scenario, then fewer faults, as long as the same rule breaks. */
export async function shrink(
  scenario: Scenario,
  played: Played,
  failed: Failed,
): Promise<{
  readonly size: number
  readonly faults: readonly Fault[]
  readonly violation: Violation
  readonly replays: number
}> {
  let replays = 0

  async function again(size: number, faults: FaultPlan): Promise<Failed | undefined> {
    replays += 1
    const { violation, ...rest } = await playSeed(scenario, { ...played, size, faults })
    return violation?.invariant === failed.violation.invariant ? { ...rest, violation } : undefined
  }

  let size = played.size
  let smallest = failed
  for (const smaller of smallSizes.filter((one) => one < size)) {
    const found = await again(smaller, played.faults)
    if (found === undefined) continue
    size = smaller
    smallest = found
    break
  }

  /** Takes a part of the faults away, then a smaller part, down to one. */
  for (let part = smallest.struck.length; part >= 1 && replays < mostReplays;) {
    const kept = smallest.struck
    const without = await firstWithout(kept, part)
    if (without !== undefined) smallest = without
    else part = part === 1 ? 0 : Math.ceil(part / 2)
    part = Math.min(part, smallest.struck.length)
  }
  return { size, faults: smallest.struck, violation: smallest.violation, replays }

  async function firstWithout(all: readonly Fault[], part: number): Promise<Failed | undefined> {
    for (let from = 0; from < all.length && replays < mostReplays; from += part) {
      const rest = all.filter((_, index) => index < from || index >= from + part)
      const found = await again(size, planOf({ exactly: rest }))
      // One that brings other faults with it is not smaller.
      if (found !== undefined && found.struck.length < all.length) return found
    }
    return undefined
  }
}
