import type { Ids } from '../ports/ids.ts'
import { FleetError } from '../protocol/errors.ts'
import { milliseconds } from './duration.ts'
import type { Duration } from './duration.ts'

/** Where faults strike. Each place counts its occasions from 1. */
export type FaultPoint = (typeof faultPoints)[FaultKind]

/**
 * Every fault and its place: `append`, the store is asked to keep something; `told`, the fleet tells a worker something; `heard`, a worker
 * says something; `assigned`, a worker begins an attempt.
 */
export const faultPoints = {
  'crash.before-append': 'append',
  'crash.after-append': 'append',
  /** Of an append of several runs some are stored; then the process dies. */
  'store.torn': 'append',
  'store.failing': 'append',
  /** Stored, but the fleet does not learn it; and the same, not stored. */
  'store.unknown': 'append',
  'store.lost': 'append',
  'clock.jump': 'append',
  'crash.before-effect': 'told',
  'crash.after-effect': 'told',
  'told.drop': 'told',
  'told.repeat': 'told',
  'told.delay': 'told',
  'heard.drop': 'heard',
  'heard.repeat': 'heard',
  'heard.delay': 'heard',
  /** It is overtaken by the next message. */
  'heard.reorder': 'heard',
  'worker.crash': 'assigned',
  'worker.stall': 'assigned',
} as const

export type FaultKind = keyof typeof faultPoints

/** One fault: the `at`-th occasion of its place. `ms`: how long a message is held back, or how far the clock jumps. */
export interface Fault {
  readonly kind: FaultKind
  readonly at: number
  readonly ms?: number
}

/** How likely faults are, each from 0 to 1 for every occasion; and faults that are certain. */
export interface FaultOptions {
  /** The fleet's process dies, before or after the append, or the message to a worker. */
  readonly crash?: { readonly probability: number; readonly at?: 'append' | 'effect' | 'both' }
  readonly store?: { readonly torn?: number; readonly failing?: number; readonly unknown?: number }
  /** Messages between the fleet and its workers. The hello of a worker always arrives. */
  readonly messages?: { readonly drop?: number; readonly repeat?: number; readonly delay?: number; readonly reorder?: number }
  /** The worker's process dies, or the attempt hangs. */
  readonly workers?: { readonly crash?: number; readonly stall?: number }
  /** The wall clock jumps, back or forth. */
  readonly clock?: { readonly jump?: number }
  /** At most so long is a message held back. Default 20 s. */
  readonly longestDelay?: Duration
  /** At most so far jumps the clock. Default 2 h. */
  readonly longestJump?: Duration
  /** Faults at known occasions: `{ kind: 'crash.after-append', at: 7 }`. */
  readonly exactly?: readonly Fault[]
}

/** Which faults strike, and when. */
export interface FaultPlan {
  readonly chances: Readonly<Partial<Record<FaultKind, number>>>
  readonly exactly: readonly Fault[]
  readonly longestDelayMs: number
  readonly longestJumpMs: number
}

/** Makes a plan of faults (DE3). Throws `invalid_option` for what is no probability. */
export function faults(options: FaultOptions): FaultPlan {
  const { crash, store = {}, messages = {}, workers = {}, clock = {} } = options
  const both = (probability = 0): number => probability / 2
  const onAppend = crash?.at === 'effect' ? 0 : crash?.probability
  const onEffect = crash?.at === 'append' || crash?.at === undefined ? 0 : crash.probability
  const chances: Record<FaultKind, number> = {
    'crash.before-append': both(onAppend),
    'crash.after-append': both(onAppend),
    'store.torn': store.torn ?? 0,
    'store.failing': store.failing ?? 0,
    'store.unknown': both(store.unknown),
    'store.lost': both(store.unknown),
    'clock.jump': clock.jump ?? 0,
    'crash.before-effect': both(onEffect),
    'crash.after-effect': both(onEffect),
    'told.drop': messages.drop ?? 0,
    'told.repeat': messages.repeat ?? 0,
    'told.delay': messages.delay ?? 0,
    'heard.drop': messages.drop ?? 0,
    'heard.repeat': messages.repeat ?? 0,
    'heard.delay': messages.delay ?? 0,
    'heard.reorder': messages.reorder ?? 0,
    'worker.crash': workers.crash ?? 0,
    'worker.stall': workers.stall ?? 0,
  }
  for (const [kind, chance] of Object.entries(chances)) {
    if (!(chance >= 0 && chance <= 1))
      throw new FleetError('invalid_option', `The probability of ${kind} is ${chance}. Write a number from 0 to 1.`)
  }
  return {
    chances,
    exactly: options.exactly ?? [],
    longestDelayMs: milliseconds(options.longestDelay ?? '20s'),
    longestJumpMs: milliseconds(options.longestJump ?? '2h'),
  }
}

/** Decides, occasion by occasion, what goes wrong. */
export interface FaultSource {
  /** Whether any fault of the plan can strike at this place. */
  strikesAt(point: FaultPoint): boolean
  /** The fault that strikes at this occasion, if one does. */
  strike(point: FaultPoint): Fault | undefined
  /** What struck so far, in order: as `exactly`, they strike again. */
  readonly struck: readonly Fault[]
  /** From now on nothing goes wrong. */
  calm(): void
}

export function createFaultSource(plan: FaultPlan, ids: Pick<Ids, 'random'>): FaultSource {
  const counts: Record<FaultPoint, number> = { append: 0, told: 0, heard: 0, assigned: 0 }
  const struck: Fault[] = []
  const certain = new Map(plan.exactly.map((fault) => [`${faultPoints[fault.kind]} ${fault.at}`, fault]))
  const rows = Object.entries(plan.chances) as [FaultKind, number][]
  const likely: Record<FaultPoint, readonly [FaultKind, number][]> = {
    append: rows.filter(([kind, chance]) => faultPoints[kind] === 'append' && chance > 0),
    told: rows.filter(([kind, chance]) => faultPoints[kind] === 'told' && chance > 0),
    heard: rows.filter(([kind, chance]) => faultPoints[kind] === 'heard' && chance > 0),
    assigned: rows.filter(([kind, chance]) => faultPoints[kind] === 'assigned' && chance > 0),
  }
  let calm = false

  function drawn(point: FaultPoint, at: number): Fault | undefined {
    if (likely[point].length === 0) return undefined
    let draw = ids.random()
    for (const [kind, chance] of likely[point]) {
      draw -= chance
      if (draw < 0) return { kind, at, ...lengthOf(kind) }
    }
    return undefined
  }

  function lengthOf(kind: FaultKind): { readonly ms?: number } {
    if (kind.endsWith('.delay')) return { ms: Math.ceil(ids.random() * plan.longestDelayMs) }
    if (kind === 'clock.jump') return { ms: Math.round((ids.random() * 2 - 1) * plan.longestJumpMs) }
    return {}
  }

  return {
    struck,
    strikesAt: (point) => likely[point].length > 0 || plan.exactly.some(({ kind }) => faultPoints[kind] === point),
    strike(point) {
      if (calm) return undefined
      const at = (counts[point] += 1)
      const fault = certain.get(`${point} ${at}`) ?? drawn(point, at)
      if (fault !== undefined) struck.push(fault)
      return fault
    },
    calm: () => void (calm = true),
  }
}
