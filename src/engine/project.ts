import type { FleetEvent, FleetEventName, FleetEventPayloads, WorkerEventName } from '../protocol/fleet-event.ts'
import type { FleetWorkerEventPayload } from '../protocol/event.ts'
import type { FleetReceipt } from '../protocol/receipt.ts'
import { writeCursor } from './cursor.ts'
import { isEnqueuedAtOnce, addedId } from './entry.ts'
import type { AlertDelivery, Entry } from './entry.ts'
import { instant } from './instant.ts'
import { wholeReceipt } from './receipt-record.ts'
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
 * refuses are not made, and the others keep their places.
 */
export function project(run: ProjectedRun, entry: Entry, isWanted: (name: FleetEventName) => boolean = everything): FleetEvent[] {
  const projection = new Projection(run, entry, isWanted)
  placeAll(projection)
  return projection.events
}

/** How many events an entry stands for. */
export function placesOf(entry: Entry): number {
  const projection = new Projection(noRun, entry, noEvent)
  placeAll(projection)
  return projection.places
}

const everything = (): boolean => true
const noEvent = (): boolean => false
const noRun: ProjectedRun = { id: '', short: '', name: '' }

/** Events in the making. Each takes its place, wanted or not. */
class Projection {
  readonly events: FleetEvent[] = []
  places = 0
  readonly run: ProjectedRun
  readonly entry: Entry
  readonly #isWanted: (name: FleetEventName) => boolean

  constructor(run: ProjectedRun, entry: Entry, isWanted: (name: FleetEventName) => boolean) {
    this.run = run
    this.entry = entry
    this.#isWanted = isWanted
  }

  /** Takes the next place; true where its event is wanted, and to be added. */
  takePlace(name: FleetEventName): boolean {
    this.places += 1
    return this.#isWanted(name)
  }

  add({ event, payload, task, worker, attempt, workerSeq }: Seed): void {
    const { run, entry } = this
    this.events.push({
      cursor: writeCursor({ short: run.short, seq: entry.seq, index: this.places - 1 }),
      event,
      run_id: run.id,
      ...(task !== undefined && { task_id: task }),
      ...(worker !== undefined && { worker_id: worker }),
      ...(attempt !== undefined && { attempt }),
      timestamp: instant(entry.at),
      ...(workerSeq !== undefined && { worker_seq: workerSeq }),
      payload,
      // The seed pairs the name with its payload.
    } as FleetEvent)
  }
}

function placeAll(into: Projection): void {
  const { run, entry } = into
  if (entry.created !== undefined && into.takePlace('run.created'))
    into.add({ event: 'run.created', payload: created(run, entry, entry.created) })
  if (entry.kind === 'run.sealed' && into.takePlace('run.sealed')) into.add({ event: 'run.sealed', payload: {} })
  const status = entry.run?.status
  if (status !== undefined && into.takePlace('run.status_changed')) into.add({ event: 'run.status_changed', payload: { status } })
  for (const added of entry.tasks ?? []) if (isEnqueuedAtOnce(added)) placeQueued(into, addedId(added))
  if (entry.task !== undefined) placeTask(into, entry.task)
  if (entry.delivery !== undefined) placeDelivery(into, entry.delivery)
  const { task, attempt } = entry
  for (const raised of entry.raised ?? [])
    if (into.takePlace('alert.raised')) into.add({ event: 'alert.raised', payload: { class: raised }, task, attempt })
}

function placeDelivery(into: Projection, { id, reason = '', tries = 0, sent, ...end }: AlertDelivery): void {
  const { task, attempt } = into.entry
  const about = { ...end, alert_id: id }
  const event = sent ? 'alert.sent' : 'alert.given_up'
  if (!into.takePlace(event)) return
  if (event === 'alert.given_up') into.add({ event, payload: { ...about, reason, tries }, task, attempt })
  else into.add({ event, payload: { ...about, ...(attempt !== undefined && { attempt }) }, task, attempt })
}

function created({ name }: ProjectedRun, { taskCount }: Entry, { workflow }: RunHeader): FleetEventPayloads['run.created'] {
  return { name, tasks: taskCount ?? 0, ...(workflow !== undefined && { workflow }) }
}

function placeQueued(into: Projection, task: string): void {
  if (into.takePlace('task.enqueued')) into.add({ event: 'task.enqueued', payload: { attempts: 0 }, task })
  placeReported(into, { state: 'queued' }, { task, worker: fleetReporter, workerSeq: 1 })
}

/** In the order that a reader expects: what the worker said, then what became of the task. */
function placeTask(into: Projection, task: string): void {
  const { run, entry } = into
  const { set, attempt, events, worker, workerSeq = 1 } = entry
  const status = set?.status
  if (status === 'enqueued' && attempt === undefined) placeEnqueued(into, task)
  if (set?.leasedAt != null && into.takePlace('task.leased'))
    into.add({ event: 'task.leased', payload: leasePayload(events), task, attempt, worker: set.worker ?? undefined })
  if (events !== undefined) {
    for (let at = 0; at < events.length; at += 1) {
      const event = events[at]
      if (event !== undefined) placeReported(into, event, { task, attempt, worker, workerSeq: workerSeq + at })
    }
  }
  if (entry.receipt !== undefined && into.takePlace('task.receipt_recorded')) {
    const receipt = wholeReceipt(run.id, entry)
    if (receipt !== undefined) into.add({ event: 'task.receipt_recorded', payload: recorded(receipt), task, attempt })
  }
  const isTerminal = status === 'completed' || status === 'failed' || status === 'cancelled'
  if (isTerminal && into.takePlace('task.terminal'))
    into.add({ event: 'task.terminal', payload: { status, ...(set?.cause && { cause: set.cause }) }, task, attempt })
  if (status === 'enqueued' && attempt !== undefined) placeEnqueued(into, task)
}

function recorded(receipt: FleetReceipt): FleetEventPayloads['task.receipt_recorded'] {
  const { result, failure_kind } = receipt
  return { result, ...(failure_kind !== undefined && { failure_kind }), receipt }
}

function placeEnqueued(into: Projection, task: string): void {
  const attempts = into.entry.set?.attempt ?? 0
  if (into.takePlace('task.enqueued')) into.add({ event: 'task.enqueued', payload: { attempts }, task })
}

function leasePayload(events: Entry['events']): FleetEventPayloads['task.leased'] {
  const leased = events?.find((event) => event.state === 'leased')
  return leased?.state === 'leased' && leased.lease_expires_at !== undefined ? { lease_expires_at: leased.lease_expires_at } : {}
}

/** Written out, since a name that is put together anew is slow to look up. */
const workerEvents = {
  queued: 'worker.queued',
  leased: 'worker.leased',
  starting: 'worker.starting',
  running: 'worker.running',
  model_wait: 'worker.model_wait',
  running_tool: 'worker.running_tool',
  workflow_event: 'worker.workflow_event',
  heartbeat: 'worker.heartbeat',
  artifact: 'worker.artifact',
  completed: 'worker.completed',
  failed: 'worker.failed',
  cancelled: 'worker.cancelled',
  interrupted: 'worker.interrupted',
  stale: 'worker.stale',
  restarted: 'worker.restarted',
  escalated: 'worker.escalated',
} as const satisfies { readonly [State in FleetWorkerEventPayload['state']]: WorkerEventName<State> }

function placeReported(into: Projection, reported: FleetWorkerEventPayload, about: Omit<Seed, 'event' | 'payload'>): void {
  const event = workerEvents[reported.state]
  if (!into.takePlace(event)) return
  const { state: _, ...payload } = reported
  // `worker.<state>` carries exactly the fields of that state.
  into.add({ event, payload, ...about } as Seed)
}
