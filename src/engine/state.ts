import type { FleetReceipt } from '../protocol/receipt.ts'
import type { FleetAlertPolicy } from '../protocol/alert.ts'
import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { FleetRunStatus } from '../protocol/run.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import type { TaskStatus } from '../lifecycles/lease.ts'
import { leaseLifecycle } from '../lifecycles/lease.ts'
import { createAlertPolicies } from './alert-policies.ts'
import type { AlertPolicies } from './alert-policies.ts'
import type { AlertRecord } from './alert-record.ts'
import type { Changes, RunFields, TaskFields, WorkerRecord } from './entry.ts'
import { createGates } from './gates.ts'
import type { GateParts, Gates } from './gates.ts'
import { createReadyQueue } from './ready-queue.ts'
import type { ReadyQueue } from './ready-queue.ts'
import type { RunHeader } from './run-header.ts'
import { createRequirements } from './requirement.ts'
import type { Requirement, Requirements } from './requirement.ts'
import { createRunSpend } from './run-spend.ts'
import type { RunSpend } from './run-spend.ts'
import { gatesOf } from './task-gates.ts'
import type { TaskGates } from './task-gates.ts'
import { createTally } from './tally.ts'
import type { Tally } from './tally.ts'
import { seqOf } from './worker-seqs.ts'
import type { SharedSeqs, WorkerSeqs } from './worker-seqs.ts'

/** Reports in its own name what no worker could: a reserved worker id (EV1). */
export const fleetReporter = 'fleet'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** A task of a run. The engine owns it; what leaves the engine is a copy. */
export interface TaskState extends Mutable<TaskFields> {
  readonly id: string
  /** Place in the spec. */
  readonly index: number
  spec: FleetTaskSpec
  /** The task has ended, and its spec is shortened to what is asked of it later (CO9). */
  isShort: boolean
  /** Sequence of the entry that added it, which holds its whole spec. */
  readonly addedBy: number
  readonly priority: number
  readonly requirement: Requirement
  /** What it must pass before it is leased; null for nothing (SC6, SC7). */
  readonly gates: TaskGates | null
  /** Sequence of the entry that last set it. */
  seq: number
  /** Sequences of the entries that carry its receipts, oldest first. */
  receipts: readonly number[]
  /** The latest receipt's result and failure kind, for counters. */
  result: FleetReceipt['result'] | null
  failureKind: FleetReceipt['failure_kind'] | null
  /** High-water of the sequences of the fleet's own events, and of those of each worker that reported any (EV1). */
  fleetSeq: number
  workerSeqs: WorkerSeqs
  /** Artifacts of the live attempt. */
  artifacts: readonly FleetArtifactRef[]
  /** Whom to alert, and of what; null for nobody. */
  readonly policy: FleetAlertPolicy | null
  /** Its alerts whose cause lasts, or that are owed (AL2). */
  alerts: readonly AlertRecord[]
  /** How many dependencies have not completed yet. */
  openDependencies: number
  /** Counts every change of status, so that queues and deadlines can tell that they are out of date. */
  version: number
}

/** A run and its tasks. */
export interface RunState extends Mutable<RunFields> {
  readonly header: RunHeader
  seq: number
  /** The last sequence that is known to be durable, and the one that the store's snapshot begins at. */
  durableSeq: number
  snapshotSeq: number
  /** Moment of the last entry; epoch milliseconds. */
  lastAt: number
  readonly tasks: Map<string, TaskState>
  readonly dependants: Map<string, string[]>
  readonly counts: Record<TaskStatus, number>
  readonly tally: Tally
  /** What its tasks spent together; null when the run has no budget (BU3). */
  readonly spend: RunSpend | null
  /** Every worker that a task of the run was leased to last. */
  readonly workers: Set<string>
  /** What the `workerSeqs` of its tasks are made of. */
  readonly workerSeqs: SharedSeqs
  /** Tasks that hold a worker's slot (SC1). */
  working: number
  readonly ready: ReadyQueue
  readonly requirements: Requirements
  readonly alertPolicies: AlertPolicies
  /** Alerts that are to be delivered, or may yet have to be (CO5). */
  unsettled: number
  /** Posted commands that were taken, newest last (ST10). */
  readonly posted: Set<string>
  /** Whether this fleet leases its tasks (ST11). */
  carried: boolean
}

/** How many tasks a worker holds, by worker id; part of the durable state because leases are. */
export type Holdings = Map<string, number>

/** Everything durable that the fleet knows. Changed by `fold` alone. */
export interface FleetState {
  readonly runs: Map<string, RunState>
  readonly holdings: Holdings
  /** Runs that may have something to lease, in the order of their turns (SC2). */
  readonly turns: Set<string>
  /** Who holds which limits and claims (SC6, SC7). */
  readonly gates: Gates
  working: number
  /** Last sequence of the fleet's own stream, and the workers that it knows (WO1). */
  fleetSeq: number
  readonly workers: Map<string, WorkerRecord>
}

/** A state of its own knows no limits: it is for looking, and for reading what another takes over. */
export function createFleetState(gates: GateParts = { limits: {}, later: () => undefined }): FleetState {
  return {
    ...{ runs: new Map(), holdings: new Map(), turns: new Set(), working: 0, fleetSeq: 0, workers: new Map() },
    gates: createGates(gates),
  }
}

export function createRunState(header: RunHeader): RunState {
  return {
    header,
    status: 'pending',
    pausedFrom: null,
    updatedAt: header.createdAt,
    completedAt: null,
    opened: false,
    sealed: !header.open,
    seq: 0,
    durableSeq: 0,
    snapshotSeq: 0,
    lastAt: header.createdAt,
    tasks: new Map(),
    dependants: new Map(),
    counts: Object.fromEntries(leaseLifecycle.values.map((value) => [value, 0])) as Record<TaskStatus, number>,
    tally: createTally(),
    spend: header.budget === undefined ? null : createRunSpend(header.budget),
    overBudget: null,
    workers: new Set(),
    workerSeqs: new Map(),
    working: 0,
    ready: createReadyQueue(),
    requirements: createRequirements(header),
    alertPolicies: createAlertPolicies(),
    unsettled: 0,
    posted: new Set(),
    carried: true,
  }
}

export function createTaskState(
  run: RunState,
  spec: FleetTaskSpec,
  added: { readonly by: number; readonly at: number },
): TaskState {
  const first = leaseLifecycle.initial
  return {
    id: spec.id,
    index: run.tasks.size,
    spec,
    isShort: false,
    addedBy: added.by,
    priority: priorityOf(spec),
    requirement: run.requirements.of(spec),
    gates: gatesOf(spec, run.header.workspace),
    seq: 0,
    receipts: nothing,
    result: null,
    failureKind: null,
    fleetSeq: 0,
    workerSeqs: nothing,
    artifacts: nothing,
    policy: run.alertPolicies.of(spec),
    alerts: nothing,
    openDependencies: 0,
    version: 0,
    attempt: first.context.attempt,
    failures: first.context.failures,
    crashes: first.context.crashes,
    status: first.value,
    worker: null,
    incarnation: null,
    failedOn: null,
    enqueuedAt: added.at,
    leasedAt: null,
    endedAt: null,
    timeoutAt: null,
    timeoutMs: null,
    notBefore: null,
    notBeforeMs: null,
    restarts: 0,
    released: false,
    stale: false,
    process: null,
    permissions: null,
    route: null,
    inputTokens: 0,
    outputTokens: 0,
    toolCalls: 0,
    spentMs: 0,
    heard: null,
    pending: null,
    overBudget: null,
    cause: null,
    undecided: false,
    settled: false,
    escalated: false,
  }
}

export function priorityOf({ metadata }: FleetTaskSpec): number {
  return typeof metadata['priority'] === 'number' ? metadata['priority'] : 0
}

/** What most tasks have; shared, since a fleet may hold very many. */
const nothing: readonly never[] = []

/** The last sequence of a reporter's events; null is the fleet itself. */
export function lastSeqOf(task: TaskState, worker: string | null): number {
  return worker === null || worker === fleetReporter ? task.fleetSeq : seqOf(task.workerSeqs, worker)
}

type NullableField = {
  [Field in keyof TaskFields]: null extends TaskFields[Field] ? Field : never
}[keyof TaskFields]

/** Those of the fields that are set, as null: an entry carries what changes (CO4). */
export function cleared(task: TaskState, ...fields: readonly NullableField[]): Partial<TaskFields> {
  return clear({}, task, ...fields)
}

/** Adds to changes those of the fields that are set, as null. */
export function clear(changes: Changes, task: TaskState, ...fields: readonly NullableField[]): Changes {
  for (const field of fields) if (task[field] !== null) changes[field] = null
  return changes
}

/** Whether a task's dependants may run: it completed, and no person's verdict is awaited (SC5). */
export function satisfies(task: TaskState): boolean {
  return task.status === 'completed' && !awaitsVerdict(task)
}

/** A task that completed, whose verdict is a person's, and that nobody settled yet (VE4, VE5). */
export function awaitsVerdict(task: TaskState): boolean {
  const { status, result, undecided, settled, spec } = task
  return status === 'completed' && result === 'partial' && (undecided || spec.scorer?.kind === 'manual') && !settled
}

/** Tasks that have not ended. */
export function openTasks(run: RunState): number {
  return run.tasks.size - run.counts.completed - run.counts.failed - run.counts.cancelled
}

export function isEndedRun(status: FleetRunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

export const isEndedTask = leaseLifecycle.tagged('ended')

/** The task waits for something, or for a worker. */
export const isWaiting = leaseLifecycle.tagged('waiting')

/** The task holds a lease: it is starting, running or being verified. */
export const isLeased = leaseLifecycle.tagged('leased')

/** The task holds a worker's slot: it is starting or running. */
export const isWorking = leaseLifecycle.tagged('working')
