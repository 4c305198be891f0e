import type { Clock } from '../ports/clock.ts'

/** What a heartbeat tells of its worker. */
export interface Vitals {
  /** Of one core, since the last time it was asked. */
  readonly cpu_percent: number
  readonly memory_mb: number
}

/** Gives what asks for the load of this process. */
export function createVitals(clock: Pick<Clock, 'monotonic'>): () => Vitals {
  let askedAt = clock.monotonic()
  let used = process.cpuUsage()
  return () => {
    const now = clock.monotonic()
    const spent = process.cpuUsage(used)
    const elapsedMs = now - askedAt
    askedAt = now
    used = process.cpuUsage()
    const busyMs = (spent.user + spent.system) / 1_000
    return {
      cpu_percent: elapsedMs > 0 ? Math.round((busyMs / elapsedMs) * 1_000) / 10 : 0,
      memory_mb: Math.round(process.memoryUsage.rss() / 1_048_576),
    }
  }
}
