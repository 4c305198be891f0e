import { releaseAttempt } from './attempt-end.ts'
import type { AttemptWatch } from './attempt-watch.ts'
import type { Core } from './core.ts'
import type { Decision } from './entry.ts'
import type { Effects } from './effects.ts'
import { isWorking } from './state.ts'
import type { RunState } from './state.ts'
import type { Workers } from './workers.ts'

/**
 * Puts a run that was read from the store back to work: leases of an earlier fleet are released (LE6, LE8), scorers are asked again
 * (CO5), and waits are armed (LE5).
 */
export function recoverRun(core: Core, run: RunState, parts: { workers: Workers; effects: Effects; watch: AttemptWatch }): void {
  const { workers, effects, watch } = parts
  for (const task of run.tasks.values()) {
    if (isWorking(task.status) && !isAlive(core, run, task.id, task.attempt)) {
      const worker = task.worker === null ? undefined : workers.get(task.worker)
      if (worker?.transport.survives === true && worker.incarnation === task.incarnation) continue
      core.turns.report(function* (context): Decision {
        const found = core.state.runs.get(run.header.id)
        const now = found?.tasks.get(task.id)
        if (found === undefined || now === undefined || now.attempt !== task.attempt || !isWorking(now.status)) return
        yield* releaseAttempt(context, found, now, { reason: 'the fleet restarted', crash: true, stillRunning: false })
      })
    } else if (task.status === 'verifying') effects.score(run, task)
    watch.arm(run, task)
  }
}

function isAlive(core: Core, run: RunState, task: string, attempt: number): boolean {
  return core.presence.get(run.header.id, task, attempt) !== undefined
}
