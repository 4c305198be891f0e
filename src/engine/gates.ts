import { overlap } from '../security/claims.ts'
import type { Claims } from '../security/claims.ts'
import { createLimitGate } from './limit-gate.ts'
import type { ConcurrencyLimit, LimitGate } from './limit-gate.ts'
import type { TaskGates } from './task-gates.ts'

/** Limits on how many tasks work at once, and how many begin in an interval (SC6). What is not named is not limited. */
export interface ConcurrencyLimits {
  /** By `metadata.class`. */
  readonly classes?: Readonly<Record<string, ConcurrencyLimit>>
  /** By `concurrency_key`. */
  readonly keys?: Readonly<Record<string, ConcurrencyLimit>>
  /** Of every `concurrency_key` that `keys` does not name. Default: one at once. */
  readonly everyKey?: ConcurrencyLimit
}

/** Names who holds a gate: a task that has a lease, or an attempt whose end is not confirmed yet (WO3). */
export interface GateHolder {
  readonly run: string
  readonly task: string
  /** Given for an attempt that has lost its lease and still runs. */
  readonly attempt?: number
}

/** A gate that keeps a task from being leased now. */
export type ClosedGate =
  | {
      readonly for: 'class_limit' | 'key_limit'
      readonly id: string
      readonly message: string
      readonly opensAt: number | undefined
    }
  | {
      readonly for: 'claim'
      readonly id: string
      readonly message: string
      readonly opensAt: undefined
      readonly holder: GateHolder
    }

/** The gates of a fleet, over all of its runs: who holds what. Part of the durable state because leases are. */
export interface Gates {
  /** Every gate that keeps a task from a lease now, in the order class, key, claim. */
  against(gates: TaskGates, now: number): Generator<ClosedGate>
  hold(holder: GateHolder, gates: TaskGates): void
  /** Takes it back; what waited at the gates that this opens hears of it. */
  release(holder: GateHolder, gates: TaskGates): void
  /** Counts a start against the limits per interval. */
  started(gates: TaskGates, at: number): void
  /** Hears once when a closed gate may have opened. */
  waitAt(gate: ClosedGate, now: number, opened: (id: string) => void): void
}

/** What limits apply, and how to be called again. */
export interface GateParts {
  readonly limits: ConcurrencyLimits
  /** Calls `act` after a time; what is scheduled then sees the gate open. */
  readonly later: (ms: number, act: () => void) => void
}

const oneAtOnce: ConcurrencyLimit = { atOnce: 1 }

/** So many limits may be known before those that hold nothing are let go. */
const sweepFrom = 1_024

export function createGates({ limits, later }: GateParts): Gates {
  const limited = new Map<string, LimitGate>()
  const claimed: Claimed = new Map()
  const waiting = new Map<string, Set<(id: string) => void>>()
  const timed = new Set<string>()
  let sweepAt = sweepFrom

  function limitsOf(gates: TaskGates): readonly LimitGate[] {
    const ofClass = gates.class === undefined ? undefined : limits.classes?.[gates.class]
    return [
      ...(gates.class === undefined || ofClass === undefined ? [] : [limitGate('class_limit', gates.class, ofClass)]),
      ...(gates.key === undefined
        ? []
        : [limitGate('key_limit', gates.key, limits.keys?.[gates.key] ?? limits.everyKey ?? oneAtOnce)]),
    ]
  }

  function limitGate(kind: LimitGate['kind'], name: string, limit: ConcurrencyLimit): LimitGate {
    const id = `${kind}:${name}`
    let gate = limited.get(id)
    if (gate === undefined) limited.set(id, (gate = createLimitGate(kind, name, limit)))
    return gate
  }

  /** Lets go of what is neither held nor within its interval: keys must not pile up. */
  function sweep(now: number): void {
    for (const gate of limited.values()) if (gate.isIdle(now)) limited.delete(gate.id)
    sweepAt = Math.max(sweepFrom, 2 * limited.size)
  }

  function open(id: string): void {
    const heard = waiting.get(id)
    waiting.delete(id)
    for (const opened of heard ?? []) opened(id)
  }

  return {
    against: (gates, now) => closedGates(limitsOf(gates), gates.claims, claimed, now),
    hold(holder, gates) {
      for (const gate of limitsOf(gates)) gate.held += 1
      if (gates.claims !== undefined) claimed.set(claimId(holder), { holder, claims: gates.claims })
    },
    release(holder, gates) {
      for (const gate of limitsOf(gates)) {
        gate.held -= 1
        open(gate.id)
      }
      if (gates.claims === undefined) return
      claimed.delete(claimId(holder))
      open(claimId(holder))
    },
    started(gates, at) {
      for (const gate of limitsOf(gates)) gate.started(at)
      if (limited.size >= sweepAt) sweep(at)
    },
    waitAt({ id, opensAt }, now, opened) {
      const heard = waiting.get(id)
      if (heard === undefined) waiting.set(id, new Set([opened]))
      else heard.add(opened)
      if (opensAt === undefined || timed.has(id)) return
      timed.add(id)
      later(Math.max(1, opensAt - now), () => {
        timed.delete(id)
        open(id)
      })
    },
  }
}

/** What tasks that hold something claim, by the id of their gate. */
type Claimed = Map<string, { readonly holder: GateHolder; readonly claims: Claims }>

function* closedGates(
  limits: readonly LimitGate[],
  wanted: Claims | undefined,
  claimed: Claimed,
  now: number,
): Generator<ClosedGate> {
  for (const gate of limits) {
    const closed = gate.closed(now)
    if (closed !== undefined) yield { for: gate.kind, id: gate.id, ...closed }
  }
  if (wanted === undefined) return
  for (const [id, { holder, claims }] of claimed) {
    const both = overlap(wanted, claims)
    if (both !== undefined) yield { for: 'claim', id, message: claimMessage(both, holder), opensAt: undefined, holder }
  }
}

function claimId({ run, task, attempt }: GateHolder): string {
  return attempt === undefined ? `claim:${run}/${task}` : `claim:${run}/${task}/${attempt}`
}

function claimMessage(both: string, { run, task, attempt }: GateHolder): string {
  const who = attempt === undefined ? `the task ${task}` : `attempt ${attempt} of the task ${task}, which has not ended yet,`
  return `It waits for ${who} of run ${run}: both claim ${both}.`
}
