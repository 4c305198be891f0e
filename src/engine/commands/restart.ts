import type { FleetWorkerEventPayload } from '../../protocol/event.ts'
import { leaseStep, reported, runStep } from '../decide.ts'
import type { DecideContext } from '../decide.ts'
import type { Decision } from '../entry.ts'
import { spentMs } from '../receipt.ts'
import { cleared, isEndedRun, isLeased, isWorking } from '../state.ts'
import type { RunState, TaskState } from '../state.ts'

/**
 * Enqueues tasks with a fresh retry budget, whatever their state, revoking live leases, and reopens the dependants that ended because
 * of them; those that they had freed and that wait are blocked again (LE9, SC5). A run that had ended runs again.
 */
export function* restartTasks(context: DecideContext, run: RunState, tasks: readonly TaskState[]): Decision {
  const { now } = context
  if (isEndedRun(run.status)) {
    yield { on: run.header.id, kind: 'run.stepped', run: runStep(run, { type: 'restart' }, now) }
  }
  for (const task of restartedWith(run, tasks)) {
    yield* restartOne(context, run, task)
    yield* blockDependants(run, task)
  }
}

/** The tasks, and the dependants that ended because of them, each before what waits for it. */
export function restartedWith(run: RunState, tasks: readonly TaskState[]): readonly TaskState[] {
  const reopened = new Set(tasks)
  for (const task of reopened) {
    if (task.status !== 'failed' && task.status !== 'cancelled') continue
    for (const id of run.dependants.get(task.id) ?? []) {
      const dependant = run.tasks.get(id)
      if (dependant?.status === 'cancelled' && dependant.cause === task.id) reopened.add(dependant)
    }
  }
  return [...reopened]
}

/** What waits for a worker or its moment waits for the task again; what runs goes on. */
function* blockDependants(run: RunState, task: TaskState): Decision {
  for (const id of run.dependants.get(task.id) ?? []) {
    const dependant = run.tasks.get(id)
    if (dependant?.status !== 'enqueued' && dependant?.status !== 'backoff') continue
    yield { on: run.header.id, kind: 'task.stepped', task: id, set: leaseStep(dependant, { type: 'block' }) }
  }
}

function* restartOne(context: DecideContext, run: RunState, task: TaskState): Decision {
  const live = isLeased(task.status)
  const blocked = task.openDependencies > 0
  const events: FleetWorkerEventPayload[] = [
    ...(live ? [{ state: 'interrupted' as const, signal: 'restart' }] : []),
    ...(blocked ? [] : [{ state: 'queued' as const }]),
  ]
  yield {
    on: run.header.id,
    kind: 'task.stepped',
    task: task.id,
    ...(live && { attempt: task.attempt }),
    set: {
      ...leaseStep(task, { type: 'restart', blocked, delayed: false }),
      enqueuedAt: context.now,
      ...(live && { spentMs: spentMs(task, context.now) }),
      ...cleared(
        task,
        'endedAt',
        'timeoutAt',
        'timeoutMs',
        'pending',
        'notBefore',
        'notBeforeMs',
        'process',
        'cause',
        'overBudget',
        'permissions',
        'route',
      ),
      released: false,
      stale: false,
      settled: false,
    },
    ...reported(task, live ? task.worker : null, events),
    ...(isWorking(task.status) && { effects: ['worker.stop'] }),
  }
}
