import { instant } from './instant.ts'

/** How many tasks of a class or a key may hold a lease at once, and how many may begin in an interval (SC6). */
export interface ConcurrencyLimit {
  /** At least 1. Default: any number. */
  readonly atOnce?: number
  /** At most `starts` leases begin in any `intervalMs` milliseconds. Default: any number. */
  readonly perInterval?: { readonly starts: number; readonly intervalMs: number }
}

/** The limit of one class or one key, and what is held of it. */
export interface LimitGate {
  readonly kind: 'class_limit' | 'key_limit'
  readonly id: string
  /** Leases that are held now. */
  held: number
  /** Counts a start; epoch milliseconds. */
  started(at: number): void
  /** Why another task may not begin now, and when that ends by itself; undefined when one may. */
  closed(now: number): { readonly message: string; readonly opensAt: number | undefined } | undefined
  /** Nothing is held of it, and no start counts any more. */
  isIdle(now: number): boolean
}

const nouns: Readonly<Record<LimitGate['kind'], string>> = { class_limit: 'class', key_limit: 'concurrency key' }

export function createLimitGate(kind: LimitGate['kind'], name: string, limit: ConcurrencyLimit): LimitGate {
  const { atOnce, perInterval } = limit
  /** Moments of the latest starts, oldest first; no more than the limit counts. */
  const starts: number[] = []

  /** When the next start is within the limit per interval; undefined for now. */
  function opensAt(now: number): number | undefined {
    const oldest = starts[0]
    if (perInterval === undefined || oldest === undefined || starts.length < perInterval.starts) return undefined
    // A wall clock that went back must not hold a gate shut (LE5).
    const at = Math.min(oldest, now) + perInterval.intervalMs
    return at > now ? at : undefined
  }

  return {
    kind,
    id: `${kind}:${name}`,
    held: 0,
    started(at) {
      if (perInterval === undefined) return
      starts.push(at)
      if (starts.length > perInterval.starts) starts.shift()
    },
    closed(now) {
      if (atOnce !== undefined && this.held >= atOnce) {
        return { message: `The ${nouns[kind]} ${name} has its ${atOnce} lease(s) at once.`, opensAt: undefined }
      }
      const at = opensAt(now)
      if (at === undefined || perInterval === undefined) return undefined
      const { starts: most, intervalMs } = perInterval
      const message = `The ${nouns[kind]} ${name} had its ${most} start(s) in ${intervalMs / 1000} s; the next may come at ${instant(at)}.`
      return { message, opensAt: at }
    },
    isIdle(now) {
      return this.held === 0 && (starts.at(-1) ?? -Infinity) + (perInterval?.intervalMs ?? 0) <= now
    },
  }
}
