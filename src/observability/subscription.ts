import type { FleetEvent } from '../protocol/fleet-event.ts'

/** Tells a slow subscriber what it missed (EV3). */
export interface GapEvent {
  readonly event: 'gap'
  /** How many events were dropped. */
  readonly dropped: number
  /** For each run with a dropped event: the cursor to replay after; null to replay from the start. */
  readonly after: Readonly<Record<string, string | null>>
}

/** One reader of the live events, with a bounded buffer. */
export interface Subscription {
  push(event: FleetEvent): void
  end(): void
  readonly events: AsyncIterable<FleetEvent | GapEvent>
}

/** Buffers at most `limit` events. What is over is dropped and told in one gap, in its place. */
export function createSubscription(limit: number, signal: AbortSignal | undefined, ended: () => void): Subscription {
  const buffer: FleetEvent[] = []
  const lastTaken = new Map<string, string>()
  let gap: { dropped: number; after: Map<string, string | null> } | undefined
  let done = false
  let wake: (() => void) | undefined

  function end(): void {
    if (done) return
    done = true
    signal?.removeEventListener('abort', end)
    ended()
    wake?.()
  }

  async function* read(): AsyncGenerator<FleetEvent | GapEvent, void, void> {
    try {
      for (;;) {
        const next = buffer.shift()
        if (next !== undefined) {
          if (next.cursor !== '') lastTaken.set(next.run_id, next.cursor)
          yield next
        } else if (gap !== undefined) {
          const missed: GapEvent = { event: 'gap', dropped: gap.dropped, after: Object.fromEntries(gap.after) }
          gap = undefined
          yield missed
        } else if (done) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      end()
    }
  }

  if (signal?.aborted === true) done = true
  else signal?.addEventListener('abort', end, { once: true })
  return {
    push(event) {
      if (gap === undefined && buffer.length < limit) buffer.push(event)
      else drop(event)
      wake?.()
    },
    end,
    events: { [Symbol.asyncIterator]: () => read() },
  }

  /** Once something was dropped, all is, until the reader has been told: the order stays true. */
  function drop(event: FleetEvent): void {
    gap ??= { dropped: 0, after: new Map() }
    gap.dropped += 1
    if (gap.after.has(event.run_id)) return
    const buffered = buffer.findLast((earlier) => earlier.run_id === event.run_id)?.cursor
    gap.after.set(event.run_id, buffered ?? lastTaken.get(event.run_id) ?? null)
  }
}
