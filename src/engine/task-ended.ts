import { leaseLifecycle } from '../lifecycles/lease.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import { cancelTask } from './cancel.ts'
import { leaseStep, reported, runStep } from './decide.ts'
import type { DecideContext } from './decide.ts'
import type { Decision, TaskFields } from './entry.ts'
import { moment } from './instant.ts'
import { cleared, isEndedRun, isWaiting, openTasks, satisfies } from './state.ts'
import type { RunState, TaskState } from './state.ts'

/** What the end of a task sets off: dependants are freed or cancelled, and the run may end (SC5, RU3). */
export function* afterTaskEnded(context: DecideContext, run: RunState, task: TaskState): Decision {
  if (run.dependants.has(task.id)) {
    if (satisfies(task)) yield* freeDependants(context, run, task)
    else if (task.status === 'failed' || task.status === 'cancelled') yield* cancelDependants(context, run, task)
  }
  if (isOver(run)) yield* endRun(context, run)
}

/** Enqueues the dependants that waited for this task alone. */
function* freeDependants(context: DecideContext, run: RunState, task: TaskState): Decision {
  for (const id of run.dependants.get(task.id) ?? []) {
    const dependant = run.tasks.get(id)
    if (dependant?.status === 'blocked' && dependant.openDependencies === 0) yield* unblock(context, run, dependant)
  }
}

/**
 * Cancels what waits for a task that cannot complete any more, and what waits for that; each names the one it waited for. A list of
 * work instead of recursion: chains may be long.
 */
function* cancelDependants(context: DecideContext, run: RunState, task: TaskState): Decision {
  const gone = [task]
  for (let cause = gone.pop(); cause !== undefined; cause = gone.pop()) {
    for (const id of run.dependants.get(cause.id) ?? []) {
      const dependant = run.tasks.get(id)
      // A dependant that was freed before its dependency was overturned has not started yet (VE5).
      if (dependant === undefined || !isWaiting(dependant.status)) continue
      yield* cancelTask(context, run, dependant, {
        by: 'fleet',
        reason: `Its dependency ${cause.id} ${ended(cause)}.`,
        cause: cause.id,
      })
      gone.push(dependant)
    }
  }
}

/** Cancels a blocked task of which a dependency ended badly before it came to wait for it. */
export function* cancelHopeless(context: DecideContext, run: RunState, task: TaskState): Decision {
  if (task.status !== 'blocked') return
  const cause = (task.spec.depends_on ?? [])
    .map((id) => run.tasks.get(id))
    .find((dependency) => dependency?.status === 'failed' || dependency?.status === 'cancelled')
  if (cause === undefined) return
  yield* cancelTask(context, run, task, {
    by: 'fleet',
    reason: `Its dependency ${cause.id} had ended ${cause.status}.`,
    cause: cause.id,
  })
  yield* afterTaskEnded(context, run, task)
}

/** Moves a task whose dependencies are met into the queue, or into its wait for `not_before` or for its retry. */
export function* unblock(context: DecideContext, run: RunState, task: TaskState): Decision {
  const { now } = context
  const delayMs = Math.max(delayOf(task.spec, now), leftOf(task, now))
  yield {
    on: run.header.id,
    kind: 'task.stepped',
    task: task.id,
    set: {
      ...leaseStep(task, { type: 'unblock', delayed: delayMs > 0 }),
      enqueuedAt: now,
      ...(delayMs > 0 ? moment(now, delayMs) : cleared(task, 'notBefore', 'notBeforeMs')),
    },
    ...reported(task, null, delayMs > 0 ? [] : [{ state: 'queued' }]),
  }
}

/** Where a new task begins: it waits for its dependencies or its moment, or is enqueued at once, which says its `queued` too. */
export function firstStep(spec: FleetTaskSpec, now: number): Partial<TaskFields> {
  if ((spec.depends_on ?? []).length > 0) return {}
  const delayMs = delayOf(spec, now)
  const next = leaseLifecycle.step(leaseLifecycle.initial, { type: 'unblock', delayed: delayMs > 0 })
  return next === undefined ? {} : { status: next.value, ...(delayMs > 0 && moment(now, delayMs)) }
}

function delayOf({ not_before }: FleetTaskSpec, now: number): number {
  return not_before === undefined ? 0 : Math.max(0, Date.parse(not_before) - now)
}

/** What is left of a wait that an open dependency broke off; never more than it was long (LE5). */
function leftOf({ notBefore, notBeforeMs }: TaskState, now: number): number {
  return notBefore === null ? 0 : Math.min(notBefore - now, notBeforeMs ?? 0)
}

/** No task is open and none can be added, and the run has yet to end (RU3). */
function isOver(run: RunState): boolean {
  return !isEndedRun(run.status) && run.sealed && openTasks(run) === 0
}

/** Ends the run when it is over (RU3). */
export function* endRun(context: DecideContext, run: RunState): Decision {
  if (!isOver(run)) return
  const result = run.counts.failed > 0 ? 'failed' : run.counts.cancelled > 0 ? 'cancelled' : 'completed'
  yield {
    on: run.header.id,
    kind: 'run.stepped',
    run: runStep(run, { type: 'end', result }, context.now),
    ...(result === 'completed' && { raised: ['run_completed'] }),
  }
}

function ended(task: TaskState): string {
  return task.status === 'failed' ? 'failed' : 'was cancelled'
}
