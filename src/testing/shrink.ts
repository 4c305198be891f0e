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

type Failed = SeedOutcome & { readonly violation: Violation; readonly size: number }

/** So often is a failure played again. */
const mostReplays = 300

const smallSizes = [1, 2, 3, 5, 8, 13, 21, 50]

/** Makes a failure small: fewer things in the scenario, fewer faults, and those earlier, as long as the same rule breaks. */
export async function shrink(
  scenario: Scenario,
  played: Played,
  failed: SeedOutcome & { readonly violation: Violation },
): Promise<{
  readonly size: number
  readonly faults: readonly Fault[]
  readonly violation: Violation
  readonly replays: number
}> {
  let replays = 0

  async function again(size: number, faults: FaultPlan): Promise<Failed | undefined> {
    if (replays >= mostReplays) return undefined
    replays += 1
    const { violation, ...rest } = await playSeed(scenario, { ...played, size, faults })
    return violation?.invariant === failed.violation.invariant ? { ...rest, violation, size } : undefined
  }

  /** The first of these that fails too. */
  async function first(tries: Iterable<readonly [number, FaultPlan]>): Promise<Failed | undefined> {
    for (const [size, faults] of tries) {
      const found = await again(size, faults)
      if (found !== undefined) return found
    }
    return undefined
  }

  let smallest = (await first(sizes(played.size, played.faults))) ?? { ...failed, size: played.size }
  for (let isSmaller = true; isSmaller && replays < mostReplays;) {
    isSmaller = false
    for (const smaller of [fewer, earlier, smallerWith]) {
      for (;;) {
        const found = await first(smaller(smallest))
        if (found === undefined || !isBelow(found, smallest)) break
        smallest = found
        isSmaller = true
      }
    }
  }
  return { size: smallest.size, faults: smallest.struck, violation: smallest.violation, replays }
}

/** What is tried comes in the order of how small it is; what brings other faults with it is not smaller. */
function isBelow(found: Failed, than: Failed): boolean {
  if (found.struck.length !== than.struck.length) return found.struck.length < than.struck.length && found.size <= than.size
  return found.size < than.size || (found.size === than.size && places(found) < places(than))
}

function places({ struck }: Failed): number {
  return struck.reduce((sum, { at }) => sum + at, 0)
}

function sizes(below: number, faults: FaultPlan): (readonly [number, FaultPlan])[] {
  return smallSizes.filter((one) => one < below).map((size) => [size, faults])
}

/** The faults without a part of them: half, a quarter, … one. */
function* fewer({ size, struck }: Failed): Generator<readonly [number, FaultPlan]> {
  for (let part = struck.length; part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2))
    for (let from = 0; from < struck.length; from += part)
      yield [size, planOf({ exactly: struck.filter((_, index) => index < from || index >= from + part) })]
}

/** One of the faults at an earlier occasion. */
function* earlier({ size, struck }: Failed): Generator<readonly [number, FaultPlan]> {
  for (const [place, fault] of struck.entries())
    for (const at of new Set([1, Math.ceil(fault.at / 2), fault.at - 1]))
      if (at >= 1 && at < fault.at) yield [size, planOf({ exactly: struck.with(place, { ...fault, at }) })]
}

/** A smaller scenario has fewer occasions: a lone fault is tried at each of the first ones. */
function* smallerWith({ size, struck }: Failed): Generator<readonly [number, FaultPlan]> {
  for (const [smaller] of sizes(size, planOf({}))) {
    yield [smaller, planOf({ exactly: struck })]
    const [lone] = struck
    if (struck.length !== 1 || lone === undefined) continue
    for (let at = 1; at <= Math.min(12, lone.at - 1); at += 1) yield [smaller, planOf({ exactly: [{ ...lone, at }] })]
  }
}
