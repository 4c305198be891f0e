import { AssertionError } from 'node:assert'
import { systemClock } from '../host/clock.ts'
import { faults as planOf } from './faults.ts'
import type { Fault, FaultKind, FaultPlan } from './faults.ts'
import type { Invariant } from './invariants.ts'
import { describeFailure } from './failure-text.ts'
import { shrink } from './shrink.ts'
import { fullSize, playSeed } from './simulation.ts'
import type { Scenario, Violation } from './simulation.ts'

/** How to simulate. */
export interface SimulateOptions {
  /** How many seeds, from 0 on; or which. Default 100. */
  readonly seeds?: number | readonly (string | number)[]
  /** What goes wrong. Default: nothing. */
  readonly faults?: FaultPlan
  /** Rules of your own, by name, besides those that every fleet keeps (DE4). */
  readonly invariants?: Readonly<Record<string, Invariant>>
  /** At most so many of anything that a scenario asks `upTo` for: a failure's report says with which. */
  readonly size?: number
  /** No new seed is begun after so long; real milliseconds. */
  readonly budgetMs?: number
  /** Called after each seed. */
  readonly onSeed?: (seed: string) => void
}

/** A seed that broke a rule, made small. */
export interface SimulationFailure {
  readonly scenario: string
  readonly seed: string
  readonly size: number
  /** What has to go wrong for it. */
  readonly faults: readonly Fault[]
  readonly violation: Violation
  /** How often it was played again to make it small. */
  readonly replays: number
}

/** What a simulation saw. */
export interface SimulationReport {
  readonly scenario: string
  readonly seeds: number
  /** How often each fault struck. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  /** How often what is worth seeing was seen. */
  readonly situations: Readonly<Record<string, number>>
  readonly failure: SimulationFailure | undefined
}

/**
 * Plays a scenario with many seeds, and holds everything that becomes durable, and everything that the workers are told, against the
 * rules (DE3, DE4). The first seed that breaks one is made small and told in an `AssertionError`: play it again with its seed, its
 * size, and its faults as `exactly`.
 */
export async function simulate(scenario: Scenario, options: SimulateOptions = {}): Promise<SimulationReport> {
  const report = await explore(scenario, options)
  if (report.failure !== undefined) throw new AssertionError({ message: describeFailure(report.failure), stackStartFn: simulate })
  return report
}

/** The same, with a failure as a part of what it gives. */
export async function explore(scenario: Scenario, options: SimulateOptions): Promise<SimulationReport> {
  const { seeds = 100, faults = planOf({}), invariants = {}, size = fullSize, budgetMs = Infinity } = options
  const clock = systemClock()
  const beganAt = clock.monotonic()
  const struck: Partial<Record<FaultKind, number>> = {}
  const situations: Record<string, number> = {}
  let played = 0
  let failure: SimulationFailure | undefined
  for (const given of typeof seeds === 'number' ? Array.from({ length: seeds }, (_, index) => index) : seeds) {
    if (clock.monotonic() - beganAt > budgetMs) break
    const seed = String(given)
    const outcome = await playSeed(scenario, { seed, size, faults, invariants })
    played += 1
    for (const { kind } of outcome.struck) struck[kind] = (struck[kind] ?? 0) + 1
    for (const [name, count] of Object.entries(outcome.situations)) situations[name] = (situations[name] ?? 0) + count
    options.onSeed?.(seed)
    if (outcome.violation === undefined) continue
    const small = await shrink(scenario, { seed, size, faults, invariants }, { ...outcome, violation: outcome.violation })
    failure = { scenario: scenario.name, seed, ...small }
    break
  }
  return { scenario: scenario.name, seeds: played, faults: struck, situations, failure }
}
