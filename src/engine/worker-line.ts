import { attemptId } from '../protocol/attempt-key.ts'
import type { HelloMessage } from '../protocol/wire.ts'
import { failAttempt, releaseAttempt } from './attempt-end.ts'
import { liveTask } from './attempt-watch.ts'
import type { Core } from './core.ts'
import { nothing } from './entry.ts'
import { withoutSecrets } from './redacted-report.ts'
import { recordIncarnation } from './incarnation.ts'
import type { Worker, Workers } from './workers.ts'

/** The line to a worker: what follows when it comes up, and when it is gone (WO1, WO2). */
export interface WorkerLine {
  hello(worker: Worker, message: HelloMessage): void
  /** The channel is gone, with everything that depended on it. */
  lost(worker: Worker, reason: string): void
}

export function createWorkerLine(core: Core, workers: Workers): WorkerLine {
  function hello(worker: Worker, message: HelloMessage): void {
    worker.incarnation = withoutSecrets(core, message.incarnation)
    worker.resting = false
    recordIncarnation(core, worker)
    workers.step(worker, { type: 'hello', leases: core.state.holdings.get(worker.facts.id) ?? 0, draining: worker.draining })
    const alive = new Set(message.attempts.map(attemptId))
    for (const id of worker.abandoned) if (!alive.has(id)) worker.abandoned.delete(id)
    dropLeases(worker, (id) => !alive.has(id), {
      reason: 'a new incarnation of the worker does not know the attempt',
      lost: false,
    })
    core.turns.nudge()
  }

  function lost(worker: Worker, said: string): void {
    const reason = withoutSecrets(core, said)
    workers.step(worker, { type: 'lost' })
    // Work elsewhere goes on without its line: the ttl judges it, or the next hello (LE6, HO7). What is said to it meanwhile is kept by its channel.
    if (worker.transport.survives) return
    worker.channel = undefined
    dropLeases(worker, () => true, { reason, lost: true })
  }

  /**
   * Ends the leases of a worker whose work is gone. What it never accepted, and what an earlier incarnation left, is given back; what had
   * begun when its channel was lost has failed (WO1, WO2, RE7).
   */
  function dropLeases(
    worker: Worker,
    gone: (id: string) => boolean,
    { reason, lost }: { readonly reason: string; readonly lost: boolean },
  ): void {
    for (const presence of core.presence.all()) {
      if (presence.worker !== worker.facts.id || !gone(`${presence.run}/${presence.task}/${presence.attempt}`)) continue
      core.presence.end(presence.run, presence.task, presence.attempt)
      core.turns.report((context) => {
        const found = liveTask(core, presence.run, presence.task, presence.attempt)
        if (found === undefined) return nothing()
        if (found.task.status === 'starting' || !lost)
          return releaseAttempt(context, found.run, found.task, { reason, crash: false, stillRunning: false })
        return failAttempt(context, found.run, found.task, {
          cause: 'transport',
          reason: `The worker ${worker.facts.id} was lost: ${reason}.`,
          final: false,
          stillRunning: false,
        })
      })
    }
  }

  return { hello, lost }
}
