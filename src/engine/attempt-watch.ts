import { failAttempt, releaseAttempt } from './attempt-end.ts'
import type { Core } from './core.ts'
import { leaseStep, reported } from './decide.ts'
import type { Decision } from './entry.ts'
import { announceHeartbeat } from './heartbeat.ts'
import type { AttemptPresence } from './presence.ts'
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

export function createAttemptWatch(core: Core, workers: Workers): AttemptWatch {
  const { deadlines, clock, defaults } = core

  function watch(attempt: AttemptPresence): void {
    const fleetBeats = workers.get(attempt.worker)?.transport.heartbeats === 'fleet'
    const period = defaults.leaseTtlMs / 4
    // What is armed again replaces what was.
    const watches = new Map<string, () => void>()
    const again = (name: string, ms: number, act: () => void): void => void watches.set(name, deadlines.after(ms, act))
    attempt.disarm.push(() => watches.forEach((disarm) => disarm()))
    if (fleetBeats) again('lease', period, beat)
    else again('lease', defaults.leaseTtlMs, expire)
    if (defaults.stallAfterMs !== undefined) again('stall', defaults.stallAfterMs, stall)

    function alive(): boolean {
      return !attempt.lingering && core.presence.get(attempt.run, attempt.task, attempt.attempt) === attempt
    }

    /** The fleet itself keeps the leases of workers that live and die with it (LE3). */
    function beat(): void {
      if (!alive()) return
      attempt.deadline = deadlines.leaseNow() + defaults.leaseTtlMs
      attempt.lastHeardAt = clock.now()
      announceHeartbeat(core, attempt)
      again('lease', period, beat)
    }

    function expire(): void {
      if (alive() && hasExpired()) goStale(attempt, hasExpired)
    }

    function hasExpired(): boolean {
      return isOver('lease', attempt.deadline, expire)
    }

    function stall(): void {
      if (alive() && hasStalled()) goStale(attempt, hasStalled)
    }

    function hasStalled(): boolean {
      return isOver('stall', attempt.lastProgress + (defaults.stallAfterMs ?? 0), stall)
    }

    /** Whether a moment has passed; when it has not, it is waited for. */
    function isOver(name: string, at: number, act: () => void): boolean {
      const left = at - deadlines.leaseNow()
      if (left > 0) again(name, left, act)
      return left <= 0
    }
  }

  /** The lease ended without a word: recorded, the worker is unhealthy, and the task is retried or fails (LE4). */
  function goStale(attempt: AttemptPresence, isStillDue: () => boolean): void {
    core.turns.report(function* (context): Decision {
      const found = liveTask(core, attempt.run, attempt.task, attempt.attempt)
      // It may have been heard again while the store could not take this.
      if (found === undefined || !isStillDue()) return
      const worker = workers.get(attempt.worker)
      if (worker !== undefined) workers.step(worker, { type: 'unwell' })
      // A worker that never accepted has not failed the task (LE8).
      if (found.task.status === 'starting') {
        yield* releaseAttempt(context, found.run, found.task, { reason: 'never accepted', crash: false, stillRunning: true })
        return
      }
      yield* failAttempt(context, found.run, found.task, {
        cause: 'stale',
        reason: `Nothing was heard of the attempt for ${defaults.leaseTtlMs / 1000} s.`,
        final: false,
        lastHeartbeatAt: attempt.lastHeardAt,
        stillRunning: true,
      })
    })
  }

  function arm(run: RunState, task: TaskState): void {
    const { now, turns } = { now: clock.now(), turns: core.turns }
    const runId = run.header.id
    const taskId = task.id
    if (task.status === 'backoff' && task.notBefore !== null) {
      const at = task.notBefore
      // However far the wall clock jumped, the wait is no longer than it was meant to be (LE5).
      deadlines.after(bounded(at - now, task.notBeforeMs), () => {
        turns.report(function* (): Decision {
          const found = core.state.runs.get(runId)?.tasks.get(taskId)
          if (found?.status !== 'backoff' || found.notBefore !== at) return
          yield {
            on: runId,
            kind: 'task.stepped',
            task: taskId,
            set: { ...leaseStep(found, { type: 'due' }), notBefore: null, notBeforeMs: null },
            ...reported(found, null, [{ state: 'queued' }]),
          }
        })
      })
    }
    if (isWorking(task.status) && task.timeoutAt !== null) {
      const { attempt, timeoutMs } = task
      const presence = core.presence.get(runId, taskId, attempt)
      const disarm = deadlines.after(bounded(task.timeoutAt - now, timeoutMs), () => {
        turns.report(function* (context): Decision {
          const found = liveTask(core, runId, taskId, attempt)
          if (found === undefined) return
          yield* failAttempt(context, found.run, found.task, {
            cause: 'timeout',
            reason: `The attempt ran longer than its limit of ${(timeoutMs ?? 0) / 1000} s.`,
            final: false,
            stillRunning: true,
          })
        })
      })
      presence?.disarm.push(disarm)
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
