import type { FleetEvent, FleetEventName, FleetEventPayloads } from '../protocol/fleet-event.ts'
import type { FleetWorkerEventPayload } from '../protocol/event.ts'
import { writeCursor } from './cursor.ts'
import { isEnqueuedAtOnce } from './entry.ts'
import type { AlertDelivery, Entry } from './entry.ts'
import { instant } from './instant.ts'
import type { RunHeader } from './run-header.ts'
import { fleetReporter } from './state.ts'

/** The facts of a run that its events need. */
export interface ProjectedRun {
  readonly id: string
  readonly short: string
  readonly name: string
}

type Seed<Name extends FleetEventName = FleetEventName> = {
  [N in Name]: {
    readonly event: N
    readonly payload: FleetEventPayloads[N]
    readonly task?: string
    readonly worker?: string
    readonly attempt?: number
    readonly workerSeq?: number
  }
}[Name]

/**
 * The events that an entry stands for, in order (EV1). The same entry gives the same events, live and replayed; those that `isWanted`
 * refuses are left out, and the others keep their places.
 */
export function project(run: ProjectedRun, entry: Entry, isWanted: (name: FleetEventName) => boolean = everything): FleetEvent[] {
  const events: FleetEvent[] = []
  let index = 0
  for (const seed of seeds(run, entry)) {
    if (isWanted(seed.event)) events.push(eventOf(run, entry, seed, index))
    index += 1
  }
  return events
}

const everything = (): boolean => true

function eventOf(run: ProjectedRun, entry: Entry, seed: Seed, index: number): FleetEvent {
  const { event, payload, task, worker, attempt, workerSeq } = seed
  return {
    cursor: writeCursor({ short: run.short, seq: entry.seq, index }),
    event,
    run_id: run.id,
    ...(task !== undefined && { task_id: task }),
    ...(worker !== undefined && { worker_id: worker }),
    ...(attempt !== undefined && { attempt }),
    timestamp: instant(entry.at),
    ...(workerSeq !== undefined && { worker_seq: workerSeq }),
    payload,
    // The seed pairs the name with its payload.
  } as FleetEvent
}

function* seeds(run: ProjectedRun, entry: Entry): Generator<Seed> {
  if (entry.created !== undefined) yield { event: 'run.created', payload: created(run, entry, entry.created) }
  if (entry.kind === 'run.sealed') yield { event: 'run.sealed', payload: {} }
  if (entry.run?.status !== undefined) yield { event: 'run.status_changed', payload: { status: entry.run.status } }
  for (const added of entry.tasks ?? []) if (isEnqueuedAtOnce(added)) yield* queuedSeeds(added.spec.id)
  if (entry.task !== undefined) yield* taskSeeds(entry, entry.task)
  if (entry.delivery !== undefined) yield deliverySeed(entry, entry.delivery)
  for (const raised of entry.raised ?? [])
    yield { event: 'alert.raised', payload: { class: raised }, task: entry.task, attempt: entry.attempt }
}

function deliverySeed({ task, attempt }: Entry, { id, reason = '', tries = 0, sent, ...end }: AlertDelivery): Seed {
  const about = { ...end, alert_id: id }
  if (!sent) return { event: 'alert.given_up', payload: { ...about, reason, tries }, task, attempt }
  return { event: 'alert.sent', payload: { ...about, ...(attempt !== undefined && { attempt }) }, task, attempt }
}

function created({ name }: ProjectedRun, { taskCount }: Entry, { workflow }: RunHeader): FleetEventPayloads['run.created'] {
  return { name, tasks: taskCount ?? 0, ...(workflow !== undefined && { workflow }) }
}

function* queuedSeeds(task: string): Generator<Seed> {
  yield { event: 'task.enqueued', payload: { attempts: 0 }, task }
  yield workerSeed({ state: 'queued' }, { task, worker: fleetReporter, workerSeq: 1 })
}

function* taskSeeds(entry: Entry, task: string): Generator<Seed> {
  const { set, attempt } = entry
  const status = set?.status
  // The order that a reader expects: what the worker said, then what became of the task.
  if (status === 'enqueued' && attempt === undefined) yield { event: 'task.enqueued', payload: enqueued(entry), task }
  if (set?.leasedAt !== undefined && set.leasedAt !== null) {
    yield { event: 'task.leased', payload: leasePayload(entry.events), task, attempt, worker: set.worker ?? undefined }
  }
  for (const [index, event] of (entry.events ?? []).entries()) {
    yield workerSeed(event, { task, attempt, worker: entry.worker, workerSeq: (entry.workerSeq ?? 1) + index })
  }
  if (entry.receipt !== undefined) {
    const { result, failure_kind } = entry.receipt
    yield {
      event: 'task.receipt_recorded',
      payload: { result, ...(failure_kind !== undefined && { failure_kind }), receipt: entry.receipt },
      task,
      attempt,
    }
  }
  if (status === 'completed' || status === 'failed' || status === 'cancelled') {
    yield { event: 'task.terminal', payload: { status, ...(set?.cause && { cause: set.cause }) }, task, attempt }
  }
  if (status === 'enqueued' && attempt !== undefined) {
    yield { event: 'task.enqueued', payload: enqueued(entry), task }
  }
}

function enqueued(entry: Entry): FleetEventPayloads['task.enqueued'] {
  return { attempts: entry.set?.attempt ?? 0 }
}

function leasePayload(events: Entry['events']): FleetEventPayloads['task.leased'] {
  const leased = events?.find((event) => event.state === 'leased')
  return leased?.state === 'leased' && leased.lease_expires_at !== undefined ? { lease_expires_at: leased.lease_expires_at } : {}
}

function workerSeed(event: FleetWorkerEventPayload, about: Omit<Seed, 'event' | 'payload'>): Seed {
  const { state, ...payload } = event
  // `worker.<state>` carries exactly the fields of that state.
  return { event: `worker.${state}`, payload, ...about } as Seed
}
