import type { Clock } from '../ports/clock.ts'

/** The longest delay that the platform's timers take; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** The clock of the machine: wall time, monotonic time and timers. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: (ms, options = {}) => sleepUntil(performance.now() + Math.max(0, ms), options),
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

function sleepUntil(deadline: number, options: { readonly signal?: AbortSignal; readonly keepAlive?: boolean }): Promise<void> {
  const { signal, keepAlive = true } = options
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    let timer: NodeJS.Timeout
    const arm = (leftMs: number) => {
      timer = setTimeout(fire, Math.min(Math.ceil(leftMs), longestTimerMs))
      if (!keepAlive) timer.unref()
    }
    // A timer fires when it was capped, and sometimes a fraction of a millisecond early.
    const fire = () => {
      const leftMs = deadline - performance.now()
      if (leftMs > 0) arm(leftMs)
      else wake()
    }
    const wake = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    signal?.addEventListener('abort', wake, { once: true })
    arm(deadline - performance.now())
  })
}
