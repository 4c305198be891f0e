import { releaseAttempt } from './attempt-end.ts'
import { liveTask } from './attempt-watch.ts'
import type { Core } from './core.ts'
import { nothing } from './entry.ts'
import type { WorkerHost } from './worker-host.ts'
import type { Worker, Workers } from './workers.ts'

/**
 * Gives a worker no more leases. It retires at once when it has none, else with the end of its last; what is left after `graceMs` is
 * released (WO1). Resolves when it is retired.
 */
export async function drainWorker(
  core: Core,
  parts: { readonly workers: Workers; readonly host: WorkerHost },
  worker: Worker,
  graceMs: number | undefined,
): Promise<void> {
  const { workers, host } = parts
  const { id } = worker.facts
  workers.step(worker, { type: 'drain', leases: core.state.holdings.get(id) ?? 0 })
  const release = graceMs === undefined ? undefined : core.deadlines.after(graceMs, () => releaseAll(core, id))
  while (worker.status === 'draining') {
    const ended = new AbortController()
    const watch = core.presence.onEnd(() => ended.abort())
    await core.clock.sleep(longWaitMs, { signal: ended.signal, keepAlive: false })
    watch()
    workers.settle(worker)
  }
  release?.()
  await host.retire(worker)
}

/** The wait is ended by the end of an attempt; the length only bounds one sleep. */
const longWaitMs = 60_000

function releaseAll(core: Core, worker: string): void {
  for (const attempt of core.presence.all()) {
    if (attempt.worker !== worker || attempt.lingering) continue
    core.turns.report((context) => {
      const found = liveTask(core, attempt.run, attempt.task, attempt.attempt)
      if (found === undefined) return nothing()
      return releaseAttempt(context, found.run, found.task, { reason: 'drained', crash: false, stillRunning: true })
    })
  }
}
