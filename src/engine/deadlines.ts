import TinyQueue from 'tinyqueue'
import type { Clock } from '../ports/clock.ts'

/** A moment at which the engine must look at something again. Monotonic milliseconds. */
interface Deadline {
  readonly at: number
  readonly order: number
  /** Let go of when it is cancelled: what is cancelled lies in the queue for long, and what it would act upon need not. */
  act: () => void
  cancelled: boolean
  /** It lies in the queue. */
  queued: boolean
}

/** A set of deadlines and the one wait for the earliest of them. */
export interface Deadlines {
  /** Calls `act` once `ms` have passed. Gives a function that takes it back. */
  after(ms: number, act: () => void): () => void
  /** Monotonic time without the hold-ups; leases live in it (LE5). */
  leaseNow(): number
  /** Stops the time that leases live in, for a hold-up that no late timer could show: a store that fails. */
  hold(): void
  /** Lets it go on where it stood. */
  goOn(): void
  /** Looks again at whether the wait keeps the process alive (CO7). */
  refresh(): void
  close(): void
}

const doNothing = (): void => undefined

/** So many deadlines may lie cancelled in the queue. */
const sweepAt = 1_024

/** A timer later than this was held up: a blocked event loop, a suspended machine. */
const noticeableMs = 250

/** After a hold-up, what was said meanwhile lies unread for a moment: leases get as long as they were held up, at most this. */
const hearingMs = 5_000

export function createDeadlines(clock: Clock, options: { readonly keepAlive: () => boolean }): Deadlines {
  const order = (a: Deadline, b: Deadline): number => a.at - b.at || a.order - b.order
  let queue = new TinyQueue<Deadline>([], order)
  let cancelled = 0
  let waiting: { readonly at: number; readonly keepAlive: boolean; readonly cancel: () => void } | undefined
  let count = 0
  let offset = 0
  let stoodAt: number | undefined
  let lastLeaseNow = clock.monotonic()
  let closed = false

  function arm(): void {
    while (queue.peek()?.cancelled === true) {
      queue.pop()
      cancelled -= 1
    }
    const next = queue.peek()
    if (closed || next === undefined) {
      waiting?.cancel()
      waiting = undefined
      return
    }
    const keepAlive = options.keepAlive()
    if (waiting !== undefined && waiting.at <= next.at && waiting.keepAlive === keepAlive) return
    waiting?.cancel()
    const cancel = clock.alarm(Math.max(0, next.at - clock.monotonic()), wake, { keepAlive })
    waiting = { at: next.at, keepAlive, cancel }
  }

  function wake(): void {
    waiting = undefined
    run()
  }

  function run(): void {
    const now = clock.monotonic()
    const late = now - (queue.peek()?.at ?? now)
    // Lease time skips the hold-up, and never goes back.
    if (late > noticeableMs && stoodAt === undefined)
      offset = Math.min(offset + late + Math.min(late, hearingMs), now - lastLeaseNow)
    const due: Deadline[] = []
    for (let next = queue.peek(); next !== undefined && next.at <= now; next = queue.peek()) {
      queue.pop()
      next.queued = false
      if (next.cancelled) cancelled -= 1
      else due.push(next)
    }
    for (const deadline of due) if (!deadline.cancelled) deadline.act()
    arm()
  }

  function cancel(deadline: Deadline): void {
    if (deadline.cancelled) return
    deadline.cancelled = true
    deadline.act = doNothing
    if (!deadline.queued) return
    cancelled += 1
    // Deadlines that were taken back long before their time must not pile up.
    if (cancelled > sweepAt && cancelled > queue.length / 2) {
      queue = new TinyQueue(
        queue.data.filter((waits) => !waits.cancelled),
        order,
      )
      cancelled = 0
    }
    if (queue.peek() === deadline || queue.length === 0) arm()
  }

  return {
    after(ms, act) {
      const deadline: Deadline = {
        at: clock.monotonic() + Math.max(0, ms),
        order: (count += 1),
        act,
        cancelled: false,
        queued: true,
      }
      queue.push(deadline)
      arm()
      return () => cancel(deadline)
    },
    leaseNow: () => (lastLeaseNow = (stoodAt ?? clock.monotonic()) - offset),
    hold() {
      stoodAt ??= clock.monotonic()
    },
    goOn() {
      if (stoodAt !== undefined) offset += clock.monotonic() - stoodAt
      stoodAt = undefined
    },
    refresh() {
      if (waiting !== undefined && waiting.keepAlive !== options.keepAlive()) arm()
    },
    close() {
      closed = true
      arm()
    },
  }
}
