import type { Core } from './core.ts'
import { instant } from './instant.ts'
import type { AttemptPresence } from './presence.ts'

/** What a worker may measure of itself. */
interface Vitals {
  readonly cpu_percent?: number
  readonly memory_mb?: number
}

/** Tells that an attempt is alive: live only, without a sequence (EV1). */
export function announceHeartbeat(core: Core, attempt: AttemptPresence, { cpu_percent, memory_mb }: Vitals = {}): void {
  const run = core.state.runs.get(attempt.run)
  if (run === undefined || !core.isListenedTo('worker.heartbeat')) return
  core.announce({
    cursor: core.liveCursor(run),
    event: 'worker.heartbeat',
    run_id: attempt.run,
    task_id: attempt.task,
    worker_id: attempt.worker,
    attempt: attempt.attempt,
    timestamp: instant(core.clock.now()),
    payload: { ...(cpu_percent !== undefined && { cpu_percent }), ...(memory_mb !== undefined && { memory_mb }) },
  })
}
