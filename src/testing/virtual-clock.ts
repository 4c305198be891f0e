import TinyQueue from 'tinyqueue'
import type { Clock } from '../ports/clock.ts'

/** A clock that moves only when told, in the order of the deadlines (DE2). */
export interface VirtualClock extends Clock {
  /** Moves time on by `ms`; everything that a deadline sets off settles before the next. */
  advance(ms: number): Promise<void>
  /** Moves to the next deadline after the other until none is left, or `limit` were met; gives how many. */
  advanceUntilIdle(limit?: number): Promise<number>
  /** Moves until the predicate holds; rejects when no deadline is left and it does not. */
  advanceUntil(predicate: () => boolean | Promise<boolean>): Promise<void>
  /** Moves the wall clock alone, as an administrator or a time server would (LE5). */
  jump(ms: number): void
  /** Waits for whatever was set off, without moving time. */
  settle(): Promise<void>
  readonly pending: number
}

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
  done: boolean
}

/** Turns of the event loop after which what a deadline set off counts as settled: promises, and real files and stores of a test. */
const quietTurns = 12

export function createVirtualClock(start = Date.UTC(2030, 0, 1)): VirtualClock {
  const sleepers = new TinyQueue<Sleeper>([], (a, b) => a.at - b.at || a.order - b.order)
  let elapsed = 0
  let offset = 0
  let order = 0

  function nextAt(): number | undefined {
    while (sleepers.peek()?.done === true) sleepers.pop()
    return sleepers.peek()?.at
  }

  async function settle(): Promise<void> {
    for (let turn = 0; turn < quietTurns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  async function wakeNext(): Promise<void> {
    const next = sleepers.pop()
    if (next === undefined) return
    elapsed = Math.max(elapsed, next.at)
    next.done = true
    next.wake()
    await settle()
  }

  return {
    now: () => start + offset + elapsed,
    monotonic: () => elapsed,
    sleep(ms, { signal } = {}) {
      return new Promise((resolve) => {
        if (signal?.aborted === true) return resolve()
        const sleeper: Sleeper = { at: elapsed + Math.max(0, ms), order: (order += 1), wake, done: false }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', stop, { once: true })
        function wake(): void {
          signal?.removeEventListener('abort', stop)
          resolve()
        }
        function stop(): void {
          sleeper.done = true
          resolve()
        }
      })
    },
    alarm(ms, act) {
      const sleeper: Sleeper = { at: elapsed + Math.max(0, ms), order: (order += 1), wake: act, done: false }
      sleepers.push(sleeper)
      return () => {
        sleeper.done = true
      }
    },
    turn: () => Promise.resolve(),
    async advance(ms) {
      const until = elapsed + ms
      await settle()
      for (let at = nextAt(); at !== undefined && at <= until; at = nextAt()) await wakeNext()
      elapsed = until
      await settle()
    },
    async advanceUntilIdle(limit = 100_000) {
      await settle()
      let met = 0
      while (nextAt() !== undefined && met < limit) {
        await wakeNext()
        met += 1
      }
      return met
    },
    async advanceUntil(predicate) {
      await settle()
      while (!(await predicate())) {
        if (nextAt() === undefined) throw new Error('Nothing waits for time any more, and the predicate does not hold.')
        await wakeNext()
      }
    },
    jump(ms) {
      offset += ms
    },
    settle,
    get pending() {
      nextAt()
      return sleepers.length
    },
  }
}
