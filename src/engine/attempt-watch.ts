import { failAttempt, releaseAttempt } from './attempt-end.ts'
import type { BudgetWatch } from './budget-watch.ts'
import type { Core } from './core.ts'
import { leaseStep, reported } from './decide.ts'
import { just, nothing } from './entry.ts'
import { announceHeartbeat } from './heartbeat.ts'
import type { AttemptPresence, AttemptWatchName } from './presence.ts'
import { isWorking } from './state.ts'
import type { RunState, TaskState } from './state.ts'
import type { Workers } from './workers.ts'

/** Watches over time: leases, time limits, waits (LE3, LE4, LE7, RE2). */
export interface AttemptWatch {
  /** Looks after an attempt that was handed to its worker. */
  watch(attempt: AttemptPresence): void
  /** Arms the deadlines that the durable state of a task holds. */
  arm(run: RunState, task: TaskState): void
}

export function createAttemptWatch(core: Core, workers: Workers, budgets: BudgetWatch): AttemptWatch {
  const { deadlines, clock, defaults } = core
  const beatMs = defaults.leaseTtlMs / 4

  function watch(attempt: AttemptPresence): void {
    if (workers.get(attempt.worker)?.transport.heartbeats === 'fleet') again(attempt, 'lease', beatMs, beat)
    else again(attempt, 'lease', defaults.leaseTtlMs, expire)
    if (defaults.stallAfterMs !== undefined) again(attempt, 'stall', defaults.stallAfterMs, stall)
  }

  /** What is armed again replaces what was, and ends with the attempt. */
  function again(attempt: AttemptPresence, name: AttemptWatchName, ms: number, act: (attempt: AttemptPresence) => void): void {
    attempt.watches[name]?.()
    attempt.watches[name] = deadlines.after(ms, () => act(attempt))
  }

  function isAlive(attempt: AttemptPresence): boolean {
    return !attempt.lingering && core.presence.get(attempt.run, attempt.task, attempt.attempt) === attempt
  }

  /** The fleet itself keeps the leases of workers that live and die with it (LE3). */
  function beat(attempt: AttemptPresence): void {
    if (!isAlive(attempt)) return
    attempt.deadline = deadlines.leaseNow() + defaults.leaseTtlMs
    attempt.lastHeardAt = clock.now()
    announceHeartbeat(core, attempt)
    again(attempt, 'lease', beatMs, beat)
  }

  function expire(attempt: AttemptPresence): void {
    if (isAlive(attempt) && hasExpired(attempt)) goStale(attempt, hasExpired)
  }

  function stall(attempt: AttemptPresence): void {
    if (isAlive(attempt) && hasStalled(attempt)) goStale(attempt, hasStalled)
  }

  function hasExpired(attempt: AttemptPresence): boolean {
    return isOver(attempt, 'lease', attempt.deadline, expire)
  }

  function hasStalled(attempt: AttemptPresence): boolean {
    return isOver(attempt, 'stall', attempt.lastProgress + (defaults.stallAfterMs ?? 0), stall)
  }

  /** Whether a moment has passed; when it has not, it is waited for. */
  function isOver(
    attempt: AttemptPresence,
    name: AttemptWatchName,
    at: number,
    act: (attempt: AttemptPresence) => void,
  ): boolean {
    const left = at - deadlines.leaseNow()
    if (left > 0) again(attempt, name, left, act)
    return left <= 0
  }

  /** The lease ended without a word: recorded, the worker is unhealthy, and the task is retried or fails (LE4). */
  function goStale(attempt: AttemptPresence, isStillDue: (attempt: AttemptPresence) => boolean): void {
    core.turns.report((context) => {
      const found = liveTask(core, attempt.run, attempt.task, attempt.attempt)
      // It may have been heard again while the store could not take this.
      if (found === undefined || !isStillDue(attempt)) return nothing()
      const worker = workers.get(attempt.worker)
      if (worker !== undefined) workers.step(worker, { type: 'unwell' })
      // A worker that never accepted has not failed the task (LE8).
      if (found.task.status === 'starting')
        return releaseAttempt(context, found.run, found.task, { reason: 'never accepted', crash: false, stillRunning: true })
      return failAttempt(context, found.run, found.task, {
        cause: 'stale',
        reason: `Nothing was heard of the attempt for ${defaults.leaseTtlMs / 1000} s.`,
        final: false,
        lastHeartbeatAt: attempt.lastHeardAt,
        stillRunning: true,
      })
    })
  }

  function arm(run: RunState, task: TaskState): void {
    const { turns } = core
    const runId = run.header.id
    const taskId = task.id
    if (task.status === 'backoff' && task.notBefore !== null) {
      const at = task.notBefore
      // However far the wall clock jumped, the wait is no longer than it was meant to be (LE5).
      deadlines.after(bounded(at - clock.now(), task.notBeforeMs), () => {
        turns.report(() => {
          const found = core.state.runs.get(runId)?.tasks.get(taskId)
          if (found?.status !== 'backoff' || found.notBefore !== at) return nothing()
          return just({
            on: runId,
            kind: 'task.stepped',
            task: taskId,
            set: { ...leaseStep(found, { type: 'due' }), notBefore: null, notBeforeMs: null },
            ...reported(found, null, [{ state: 'queued' }]),
          })
        })
      })
    }
    if (isWorking(task.status) && task.timeoutAt !== null) {
      const { attempt, timeoutMs } = task
      const presence = core.presence.get(runId, taskId, attempt)
      const disarm = deadlines.after(bounded(task.timeoutAt - clock.now(), timeoutMs), () => {
        turns.report((context) => {
          const found = liveTask(core, runId, taskId, attempt)
          if (found === undefined) return nothing()
          return failAttempt(context, found.run, found.task, {
            cause: 'timeout',
            reason: `The attempt ran longer than its limit of ${(timeoutMs ?? 0) / 1000} s.`,
            final: false,
            stillRunning: true,
          })
        })
      })
      if (presence === undefined) return
      presence.watches.timeout?.()
      presence.watches.timeout = disarm
      budgets.arm(run, task)
    }
  }

  return { watch, arm }
}

/** The task of an attempt, while that attempt is the live one and at work (LE2). */
export function liveTask(
  core: Core,
  runId: string,
  taskId: string,
  attempt: number,
): { run: RunState; task: TaskState } | undefined {
  const run = core.state.runs.get(runId)
  const task = run?.tasks.get(taskId)
  return run !== undefined && task !== undefined && task.attempt === attempt && isWorking(task.status) ? { run, task } : undefined
}

function bounded(ms: number, most: number | null): number {
  return Math.max(0, most === null ? ms : Math.min(ms, most))
}
