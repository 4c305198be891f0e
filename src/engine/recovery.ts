import { releaseAttempt } from './attempt-end.ts'
import type { AlertOutbox } from './alert-outbox.ts'
import { liveTask } from './attempt-watch.ts'
import type { AttemptWatch } from './attempt-watch.ts'
import type { Core } from './core.ts'
import { nothing } from './entry.ts'
import type { Effects } from './effects.ts'
import { inSlices } from '../protocol/steps.ts'
import type { Steps } from '../protocol/steps.ts'
import { isWorking } from './state.ts'
import type { RunState, TaskState } from './state.ts'
import type { Workers } from './workers.ts'

/**
 * Puts a run that was read from the store back to work: leases of an earlier fleet are released, but for those of workers that may
 * still live elsewhere (LE6, LE8); scorers are asked and alerts delivered again (CO5), and waits are armed (LE5).
 */
export function recoverRun(
  core: Core,
  run: RunState,
  parts: { workers: Workers; effects: Effects; watch: AttemptWatch; alerts: AlertOutbox },
): Promise<void> {
  parts.alerts.recover(run)
  return inSlices(recovering(core, run, parts), core.clock)
}

function* recovering(
  core: Core,
  run: RunState,
  { workers, effects, watch }: { workers: Workers; effects: Effects; watch: AttemptWatch },
): Steps {
  // Nobody knows when a crash ended the work: it counts as long as the run was heard of, not while no fleet was there (BU3).
  const until = run.lastAt
  for (const task of run.tasks.values()) {
    if (isWorking(task.status) && !isAlive(core, run, task.id, task.attempt)) {
      if (task.worker !== null && mayLive(core, workers, task.worker)) awaitReport(core, run, task, task.worker, watch)
      else release(core, run, task, until)
    } else if (task.status === 'verifying') effects.score(run, task)
    watch.arm(run, task)
    yield
  }
}

/** Work that outlives a fleet; a worker that is registered as it dials in is not there yet. */
function mayLive({ state }: Core, workers: Workers, id: string): boolean {
  return workers.get(id)?.transport.survives ?? state.workers.get(id)?.dialsIn === true
}

/** The attempt has one ttl to be heard of, and goes on where it was if it is (LE6). */
function awaitReport(core: Core, run: RunState, task: TaskState, worker: string, watch: AttemptWatch): void {
  const key = { run_id: run.header.id, task_id: task.id, attempt: task.attempt }
  const now = core.deadlines.leaseNow()
  const presence = core.presence.begin({
    run: run.header.id,
    task: task.id,
    attempt: task.attempt,
    worker,
    deadline: now + core.defaults.leaseTtlMs,
    lastHeardAt: core.clock.now(),
    lastProgress: now,
  })
  presence.place = { ...key, folder: core.folderOf(run.header.id, task.id, task.attempt), root: run.header.workspace }
  watch.watch(presence)
}

function release(core: Core, run: RunState, { id, attempt }: TaskState, until: number): void {
  core.turns.report((context) => {
    const found = liveTask(core, run.header.id, id, attempt)
    if (found === undefined) return nothing()
    return releaseAttempt(context, found.run, found.task, {
      reason: 'the fleet restarted',
      crash: true,
      stillRunning: false,
      until,
    })
  })
}

function isAlive(core: Core, run: RunState, task: string, attempt: number): boolean {
  return core.presence.get(run.header.id, task, attempt) !== undefined
}
