import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { Seam } from './seam.ts'

/** Time as it passes a seam. It stands still while one input is dealt with, so long work takes no turns. */
export function seamedClock(seam: Seam): Clock {
  return {
    now: () => seam.now(),
    monotonic: () => seam.monotonic(),
    sleep: (ms, { signal, keepAlive = true } = {}) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve()
        const cancel = seam.alarm(ms, wake, { keepAlive })
        signal?.addEventListener('abort', wake, { once: true })
        function wake(): void {
          cancel()
          signal?.removeEventListener('abort', wake)
          resolve()
        }
      }),
    alarm: (ms, act, options) => seam.alarm(ms, act, options),
    turn: () => Promise.resolve(),
  }
}

/** Names and chance as they pass a seam. */
export function seamedIds(seam: Seam, ids: Ids): Ids {
  return {
    next: (prefix) => seam.take(`id ${prefix}`, () => ids.next(prefix)),
    random: () => seam.take('draw', () => ids.random()),
    forEpoch: (epoch) => seamedIds(seam, ids.forEpoch?.(epoch) ?? ids),
  }
}
