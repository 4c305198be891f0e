import TinyQueue from 'tinyqueue'
import type { Clock } from '../ports/clock.ts'
import { milliseconds } from './duration.ts'
import type { Duration } from './duration.ts'
import { createSettling } from './settling.ts'

/** A clock that moves only when told, in the order of the deadlines (DE2). */
export interface VirtualClock extends Clock {
  /** Moves time on; everything that a deadline sets off settles before the next. */
  advance(by: Duration): Promise<void>
  /** Moves to the next deadline after the other until none is left, or `limit` were met; gives how many. */
  advanceUntilIdle(limit?: number): Promise<number>
  /** Moves until the predicate holds; rejects when no deadline is left and it does not. */
  advanceUntil(predicate: () => boolean | Promise<boolean>): Promise<void>
  /** Moves to the next deadline and lets what it sets off settle; false when none is left, or none within this time. */
  step(within?: Duration): Promise<boolean>
  /** Moves the wall clock alone, as an administrator or a time server would (LE5). */
  jump(ms: number): void
  /** Waits for whatever was set off, without moving time. */
  settle(): Promise<void>
  /** How many deadlines are waited for. */
  readonly pending: number
  /** Milliseconds from now to each of them, the nearest first. */
  pendingTimers(): readonly number[]
  /** The same time, as one process of several sees it. */
  process(): ProcessClock
}

/** Time for one process. */
export interface ProcessClock extends Clock {
  /** Ends the process: what waits on this clock waits for ever, and none of it is pending any more. */
  end(): void
}

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
  readonly owner: Owner
  done: boolean
}

/** Who waits: a process that has ended is not woken. */
interface Owner {
  hasEnded: boolean
}

/** So many deadlines may lie in the queue that nobody waits for any more. */
const sweepAt = 1_024

const isMet = (): boolean => true

export function createVirtualClock(start = Date.UTC(2030, 0, 1)): VirtualClock {
  return createSettledClock(createSettling(), start)
}

/** The same, when `settled` says that everything which a deadline set off has settled. */
export function createSettledClock(settled: () => Promise<void>, start = Date.UTC(2030, 0, 1)): VirtualClock {
  const inOrder = (a: Sleeper, b: Sleeper): number => a.at - b.at || a.order - b.order
  let sleepers = new TinyQueue<Sleeper>([], inOrder)
  let pending = 0
  let elapsed = 0
  let offset = 0
  let order = 0

  function put(owner: Owner, ms: number, wake: () => void): Sleeper {
    const sleeper: Sleeper = { at: elapsed + Math.max(0, ms), order: (order += 1), wake, owner, done: owner.hasEnded }
    if (sleeper.done) return sleeper
    sleepers.push(sleeper)
    pending += 1
    return sleeper
  }

  function takeBack(sleeper: Sleeper): void {
    if (sleeper.done) return
    sleeper.done = true
    pending -= 1
    const useless = sleepers.length - pending
    if (useless > sweepAt && useless > pending) sweep()
  }

  function sweep(): void {
    sleepers = new TinyQueue(
      sleepers.data.filter(({ done }) => !done),
      inOrder,
    )
  }

  function next(): Sleeper | undefined {
    while (sleepers.peek()?.done === true) sleepers.pop()
    return sleepers.peek()
  }

  /** Meets the next deadline, if it is not later than `until`. */
  function step(until = Infinity): Promise<boolean> {
    const found = next()
    if (found === undefined || found.at > until) return Promise.resolve(false)
    elapsed = Math.max(elapsed, found.at)
    takeBack(found)
    found.wake()
    return settled().then(isMet)
  }

  function clockOf(owner: Owner): Clock {
    return {
      now: () => start + offset + elapsed,
      monotonic: () => elapsed,
      sleep(ms, { signal } = {}) {
        return new Promise((resolve) => {
          if (signal?.aborted === true) return resolve()
          const sleeper = put(owner, ms, wake)
          signal?.addEventListener('abort', stop, { once: true })
          function wake(): void {
            signal?.removeEventListener('abort', stop)
            resolve()
          }
          function stop(): void {
            takeBack(sleeper)
            if (!owner.hasEnded) resolve()
          }
        })
      },
      alarm(ms, act) {
        const sleeper = put(owner, ms, act)
        return () => takeBack(sleeper)
      },
      turn: () => Promise.resolve(),
    }
  }

  function processClock(): ProcessClock {
    const owner: Owner = { hasEnded: false }
    return {
      ...clockOf(owner),
      end() {
        owner.hasEnded = true
        for (const sleeper of sleepers.data) if (sleeper.owner === owner) takeBackQuietly(sleeper)
        sweep()
      },
    }
  }

  function takeBackQuietly(sleeper: Sleeper): void {
    if (!sleeper.done) pending -= 1
    sleeper.done = true
  }

  return {
    ...clockOf({ hasEnded: false }),
    step: (within) => step(within === undefined ? Infinity : elapsed + milliseconds(within)),
    async advance(by) {
      const until = elapsed + milliseconds(by)
      await settled()
      while (await step(until));
      elapsed = until
      await settled()
    },
    async advanceUntilIdle(limit = 100_000) {
      await settled()
      let met = 0
      while (met < limit && (await step())) met += 1
      return met
    },
    async advanceUntil(predicate) {
      await settled()
      while (!(await predicate())) {
        if (!(await step())) throw new Error('Nothing waits for time any more, and the predicate does not hold.')
      }
    },
    jump(ms) {
      offset += ms
    },
    settle: settled,
    get pending() {
      return pending
    },
    pendingTimers: () =>
      sleepers.data
        .filter(({ done }) => !done)
        .sort(inOrder)
        .map(({ at }) => at - elapsed),
    process: processClock,
  }
}
