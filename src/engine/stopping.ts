import { attemptId } from '../protocol/attempt-key.ts'
import type { FleetErrorCode } from '../protocol/errors.ts'
import type { AttemptKey } from '../protocol/wire.ts'
import type { Core } from './core.ts'
import type { Entry } from './entry.ts'
import { recordIncarnation } from './incarnation.ts'
import { instant } from './instant.ts'
import type { RunState } from './state.ts'
import { stopReason } from './stop-reason.ts'
import type { Worker, Workers } from './workers.ts'

/** How attempts are asked to end (HO3, WO3, BU2). */
export interface Stopping {
  /** The lease of an attempt is gone: its worker is told to stop, and its slot is free once that is confirmed, or written off. */
  stopAttempt(run: RunState, entry: Entry): void
  /** A limit was crossed: the worker is asked for what it has; the grace is watched beside it (BU2). */
  handBack(run: RunState, entry: Entry): void
  /** Tells a worker to stop an attempt, without an entry: for attempts that the fleet knows nothing of (LE2). */
  stop(worker: string, key: AttemptKey, code: FleetErrorCode, reason: string): void
}

/** So often is a worker asked again to end what it was told to; one that lives does not miss all of them. */
const stopRepeats = 5

/** Beyond the grace that a host gets, for its confirmation to arrive. */
const stopMarginMs = 1_000

export function createStopping(core: Core, workers: Workers): Stopping {
  function stopAttempt(run: RunState, entry: Entry): void {
    const task = entry.task ?? ''
    const attempt = entry.attempt ?? 0
    const presence = core.presence.get(run.header.id, task, attempt)
    if (presence === undefined) return
    if (presence.place === undefined) {
      // It was never handed over.
      core.presence.end(run.header.id, task, attempt)
      core.turns.nudge()
      return
    }
    core.presence.linger(presence)
    const { code, reason } = stopReason(entry)
    stop(presence.worker, { run_id: run.header.id, task_id: task, attempt }, code, reason)
    core.deadlines.after(core.defaults.stopGraceMs + stopMarginMs, () => writeOff(presence.worker, run.header.id, task, attempt))
  }

  function handBack(run: RunState, entry: Entry): void {
    const key = { run_id: run.header.id, task_id: entry.task ?? '', attempt: entry.attempt ?? 0 }
    const presence = core.presence.get(key.run_id, key.task_id, key.attempt)
    if (presence?.place === undefined || presence.lingering) return
    const reason = entry.set?.overBudget?.reason ?? ''
    workers.get(presence.worker)?.channel?.send({ type: 'hand_back', ...key, reason, grace_ms: core.defaults.handBackGraceMs })
  }

  /** The work ignores its stop: its slot is given free all the same, and it is counted until it ends (WO3). */
  function writeOff(workerId: string, run: string, task: string, attempt: number): void {
    if (core.presence.end(run, task, attempt) === undefined) return
    const worker = workers.get(workerId)
    if (worker !== undefined) {
      worker.abandoned.add(attemptId({ run_id: run, task_id: task, attempt }))
      worker.incarnation = core.ids.next('inc')
      recordIncarnation(core, worker)
      // A worker elsewhere is well again when it is heard; one of this process when its slot is free (WO).
      if (worker.transport.heartbeats === 'fleet') {
        workers.step(worker, { type: 'recover', leases: core.state.holdings.get(workerId) ?? 0, draining: worker.draining })
      } else askAgain(worker, { run_id: run, task_id: task, attempt }, stopRepeats)
    }
    core.announce({
      cursor: '',
      event: 'worker.abandoned',
      run_id: run,
      task_id: task,
      worker_id: workerId,
      attempt,
      timestamp: instant(core.clock.now()),
      payload: { reason: 'It did not end after it was told to stop.' },
    })
    core.turns.nudge()
  }

  /** Its confirmation, or the stop itself, may have been lost on the way: what is asked of a worker that lives, it answers. */
  function askAgain(worker: Worker, key: AttemptKey, times: number): void {
    if (times === 0) return
    core.deadlines.after(core.defaults.leaseTtlMs, () => {
      if (!worker.abandoned.has(attemptId(key))) return
      stop(worker.facts.id, key, 'lease_lost', 'The end of this attempt was not confirmed.')
      askAgain(worker, key, times - 1)
    })
  }

  function stop(worker: string, key: AttemptKey, code: FleetErrorCode, reason: string): void {
    workers.get(worker)?.channel?.send({ type: 'stop', ...key, code, reason, grace_ms: core.defaults.stopGraceMs })
  }

  return { stopAttempt, handBack, stop }
}
