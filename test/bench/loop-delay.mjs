import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

/** Watches how long the event loop is blocked, phase by phase. */
export function watchLoop() {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  return {
    /** The longest time, in milliseconds, since the last call. */
    async lap() {
      // What blocks at the very end shows only when the monitor's timer comes late.
      await sleep(5)
      const ms = histogram.max / 1e6
      histogram.reset()
      // It counts from its first tick on; what blocks before that one would be lost.
      await sleep(5)
      return ms
    },
  }
}
