import type { FleetWorkerEventPayload } from '../protocol/event.ts'
import type { FleetErrorCode } from '../protocol/errors.ts'
import { FleetError } from '../protocol/errors.ts'
import type { LeaseTerms } from '../security/trust.ts'
import type { AlertSinks } from '../ports/alert-sink.ts'
import type { Scorers } from '../ports/scorer.ts'
import type { LeaseEvent } from '../lifecycles/lease.ts'
import { leaseLifecycle } from '../lifecycles/lease.ts'
import { runLifecycle } from '../lifecycles/run.ts'
import type { RunEvent } from '../lifecycles/run.ts'
import type { Changes, Draft, RunFields, TaskFields } from './entry.ts'
import type { Defaults } from './defaults.ts'
import { fleetReporter, lastSeqOf } from './state.ts'
import type { FleetState, RunState, TaskState } from './state.ts'

/** All that a decision may look at. Same context, same command: same entries (CO2). */
export interface DecideContext {
  readonly state: FleetState
  /** Epoch milliseconds. */
  readonly now: number
  /** A draw in [0, 1), taken only where the rules ask for chance. */
  readonly draw: () => number
  readonly defaults: Defaults
  readonly scorers: Scorers
  readonly alertSinks: AlertSinks
  /** The terms of a lease of the task to a registered worker (SE1). */
  readonly termsOf: (task: TaskState, worker: string) => LeaseTerms
}

/**
 * The fields that a lease step changes, to be added to; the attempt is always said, since events name it. Throws `refused` when the machine
 * does not accept the event (CO3).
 */
export function leaseStep(task: TaskState, ...events: readonly LeaseEvent[]): Changes & Pick<TaskFields, 'status' | 'attempt'> {
  let position = { value: task.status, context: { attempt: task.attempt, failures: task.failures, crashes: task.crashes } }
  for (const event of events) {
    const next = leaseLifecycle.step(position, event)
    if (next === undefined) throw refusal('task', task.id, position.value, event.type)
    position = next
  }
  const { attempt, failures, crashes } = position.context
  const changes: Changes & Pick<TaskFields, 'status' | 'attempt'> = { status: position.value, attempt }
  if (failures !== task.failures) changes.failures = failures
  if (crashes !== task.crashes) changes.crashes = crashes
  return changes
}

/** The fields that a run step changes. Throws `refused` when the machine does not accept the event (CO3). */
export function runStep(run: RunState, event: RunEvent, now: number): Partial<RunFields> {
  const next = runLifecycle.step({ value: run.status, context: { pausedFrom: run.pausedFrom } }, event)
  if (next === undefined) throw refusal('run', run.header.id, run.status, event.type)
  const ended = runLifecycle.hasTag(next.value, 'ended')
  return { status: next.value, pausedFrom: next.context.pausedFrom, updatedAt: now, completedAt: ended ? now : null }
}

/** Events of one reporter with the sequence that the first of them gets (EV1). */
export function reported(
  task: TaskState,
  worker: string | null,
  events: readonly FleetWorkerEventPayload[],
): Pick<Draft, 'worker' | 'workerSeq' | 'events'> {
  if (events.length === 0) return {}
  return { worker: worker ?? fleetReporter, workerSeq: lastSeqOf(task, worker) + 1, events }
}

export function refuse(code: FleetErrorCode, message: string, details?: Readonly<Record<string, unknown>>): FleetError {
  return new FleetError(code, message, details === undefined ? {} : { details })
}

function refusal(noun: string, id: string, status: string, event: string): FleetError {
  return refuse('refused', `The ${noun} ${id} is ${status}, which does not accept “${event}”. Nothing was changed.`, {
    id,
    status,
    event,
  })
}
