import { addedId, addedSpec } from '../engine/entry.ts'
import type { Entry } from '../engine/entry.ts'
import type { RunHeader } from '../engine/run-header.ts'
import type { Store } from '../ports/store.ts'
import { reservedId } from '../protocol/ids.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import { entriesOf } from './journal.ts'

/** A task as its durable entries tell it, without the engine: what invariants are held against. */
export interface ModelTask {
  readonly id: string
  readonly spec: FleetTaskSpec
  readonly status: string
  readonly attempt: number
  readonly worker: string | undefined
  /** Receipts that say `fail` or `timeout`, since it was last restarted by a person. */
  readonly failures: number
  /** Its live attempt crossed a limit of its budget. */
  readonly isOverBudget: boolean
  /** Attempts that have a receipt. */
  readonly judged: ReadonlySet<number>
  /** The last sequence of every reporter's events. */
  readonly reported: Readonly<Record<string, number>>
}

/** A run as its durable entries tell it. */
export interface ModelRun {
  readonly id: string
  readonly header: RunHeader
  seq: number
  status: string
  opened: boolean
  sealed: boolean
  /** It was ended by a command, not by the end of its last task. */
  cancelled: boolean
  /** A limit of its own budget was crossed. */
  isOverBudget: boolean
  readonly tasks: Map<string, ModelTask>
  /** The last entry, as it was read. */
  last: string
}

/** An entry that became durable, with what its task was before and is now. */
export interface Happened {
  readonly run: ModelRun
  readonly entry: Entry
  readonly before: ModelTask | undefined
  readonly task: ModelTask | undefined
}

const working = new Set(['starting', 'running'])
const ended = new Set(['completed', 'failed', 'cancelled'])

/** The task is starting or running: it holds a slot of its worker. */
export function isAtWork(task: ModelTask | undefined): boolean {
  return task !== undefined && working.has(task.status)
}

/** The task holds a lease. */
export function holdsLease(task: ModelTask | undefined): boolean {
  return isAtWork(task) || task?.status === 'verifying'
}

export function hasEnded({ status }: { readonly status: string }): boolean {
  return ended.has(status)
}

/** Reads what is new in a run, entry by entry. */
export async function* follow(store: Store, runs: Map<string, ModelRun>, id: string): AsyncGenerator<Happened> {
  if (id === reservedId) return
  for await (const stored of entriesOf(store, id, (runs.get(id)?.seq ?? 0) + 1)) {
    // What an engine of this package wrote.
    const entry = stored as unknown as Entry
    const run = runs.get(id) ?? begun(id, entry)
    if (run === undefined) return
    runs.set(id, run)
    yield apply(run, entry)
  }
}

function begun(id: string, { created }: Entry): ModelRun | undefined {
  if (created === undefined) return undefined
  return {
    id,
    header: created,
    seq: 0,
    status: 'pending',
    opened: false,
    sealed: !created.open,
    cancelled: false,
    isOverBudget: false,
    tasks: new Map(),
    last: '',
  }
}

function apply(run: ModelRun, entry: Entry): Happened {
  const before = entry.task === undefined ? undefined : run.tasks.get(entry.task)
  run.seq += 1
  run.last = JSON.stringify(entry)
  for (const added of entry.tasks ?? []) {
    const { set } = added
    const id = addedId(added)
    const first = {
      attempt: 0,
      worker: undefined,
      failures: 0,
      isOverBudget: false,
      judged: new Set<number>(),
    }
    run.tasks.set(id, {
      id,
      spec: addedSpec(added),
      ...first,
      status: set.status ?? 'blocked',
      reported: set.status === 'enqueued' ? { [reservedId]: 1 } : {},
    })
  }
  const status = entry.run?.status
  if (status !== undefined) {
    const open = [...run.tasks.values()].some((task) => !hasEnded(task))
    run.cancelled = status === 'cancelled' && (open || !run.sealed)
    run.status = status
  }
  if (entry.run?.overBudget != null) run.isOverBudget = true
  if (entry.run?.opened !== undefined) run.opened = entry.run.opened
  if (entry.run?.sealed !== undefined) run.sealed = entry.run.sealed
  const task = before && changed(before, entry)
  if (task !== undefined) run.tasks.set(task.id, task)
  return { run, entry, before, task }
}

function changed(task: ModelTask, { set, receipt, attempt, kind, events, worker, workerSeq }: Entry): ModelTask {
  // A person's restart gives a fresh budget; nothing else takes failures back.
  const isFresh = set?.failures === 0 && task.failures > 0
  const isFailure = kind !== 'task.settled' && (receipt?.result === 'fail' || receipt?.result === 'timeout')
  return {
    ...task,
    status: set?.status ?? task.status,
    attempt: set?.attempt ?? task.attempt,
    worker: set?.worker === undefined ? task.worker : (set.worker ?? undefined),
    isOverBudget: set?.overBudget === undefined ? task.isOverBudget : set.overBudget !== null,
    failures: isFresh ? 0 : task.failures + (isFailure ? 1 : 0),
    judged:
      receipt === undefined || attempt === undefined || !holdsLease(task) ? task.judged : new Set([...task.judged, attempt]),
    reported:
      events === undefined || worker === undefined
        ? task.reported
        : { ...task.reported, [worker]: (workerSeq ?? 1) + events.length - 1 },
  }
}
