import type { Clock } from '../ports/clock.ts'

/** The longest delay that the platform's timers take; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** The clock of the machine: wall time, monotonic time and timers. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: (ms, { signal, keepAlive = true } = {}) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const cancel = alarm(ms, wake, keepAlive)
        signal?.addEventListener('abort', wake, { once: true })
        function wake(): void {
          cancel()
          signal?.removeEventListener('abort', wake)
          resolve()
        }
      }),
    alarm: (ms, act, { keepAlive }) => alarm(ms, act, keepAlive),
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

function alarm(ms: number, act: () => void, keepAlive: boolean): () => void {
  const deadline = performance.now() + Math.max(0, ms)
  let timer: NodeJS.Timeout
  arm(ms)
  return () => clearTimeout(timer)

  function arm(leftMs: number): void {
    timer = setTimeout(fire, Math.min(Math.ceil(leftMs), longestTimerMs))
    if (!keepAlive) timer.unref()
  }

  /** A timer fires when it was capped, and sometimes a fraction of a millisecond early. */
  function fire(): void {
    const leftMs = deadline - performance.now()
    if (leftMs > 0) arm(leftMs)
    else act()
  }
}
