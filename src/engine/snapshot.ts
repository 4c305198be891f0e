import type { SnapshotRecord, SnapshotShard, SnapshotSource } from '../ports/store.ts'
import type { Json } from '../protocol/json.ts'
import { specRecord } from './spec-record.ts'
import { createTaskState, priorityOf } from './state.ts'
import type { FleetState, RunState, TaskState } from './state.ts'

/** With what they have in common, five hundred records (ST2). */
const tasksPerShard = 499

/** What the key of a task's record begins with, and that of what the tasks from one on have in common; the task's id follows. */
export const taskPrefix = 'task:'
export const commonPrefix = 'common:'

/**
 * The run's state as records that each name the entry that last set them (ST2): the run itself, then its tasks in their order, with what
 * some have in common in front of them. `through` tells when everything decided so far is durable, or that it never will be.
 */
export function snapshotSource(run: RunState, through: SnapshotSource['through']): SnapshotSource {
  return { seq: run.seq, shards: shardsOf(run), through }
}

/** The fleet's own stream as records: the workers that it knows (WO1). */
export function fleetSnapshotSource(state: FleetState, through: SnapshotSource['through']): SnapshotSource {
  const seq = state.fleetSeq
  const records = (): SnapshotRecord[] =>
    [...state.workers.values()].map((worker) => ({ key: `worker:${worker.id}`, seq, value: worker as unknown as Json }))
  return { seq, shards: [{ seq, records }], through }
}

/** All records at once. */
export function recordsOf(run: RunState): SnapshotRecord[] {
  return [...shardsOf(run)].flatMap((shard) => shard.records())
}

function* shardsOf(run: RunState): Generator<SnapshotShard> {
  yield { seq: run.seq, records: () => [runRecord(run)] }
  const tasks = [...run.tasks.values()]
  for (let from = 0; from < tasks.length; from += tasksPerShard) {
    const some = tasks.slice(from, from + tasksPerShard)
    yield { seq: latestOf(some), records: () => recordsOfTasks(run, some) }
  }
}

function runRecord(run: RunState): SnapshotRecord {
  const { header, status, pausedFrom, updatedAt, completedAt, opened, sealed, overBudget, lastAt } = run
  const own = {
    ...{ header, status, pausedFrom, updatedAt, completedAt, opened, sealed, lastAt, posted: [...run.posted] },
    ...(overBudget !== null && { overBudget }),
  }
  return { key: 'run', seq: run.seq, value: own as unknown as Json }
}

/** What is derived from the other fields, or from the place of the record, or stands beside them. */
const derived: ReadonlySet<string> = new Set(['index', 'openDependencies', 'policy', 'seq', 'version', 'workerSeqs'])
/** What a new task has of its spec. */
const ofSpec: ReadonlySet<string> = new Set(['id', 'spec', 'priority', 'requirement', 'gates'])

/**
 * Tasks that lie side by side are mostly alike: a record in front of them holds what the first of them has and a new task of its spec has
 * not, and theirs what they have otherwise. All tasks have the same fields.
 */
function recordsOfTasks(run: RunState, tasks: readonly TaskState[]): SnapshotRecord[] {
  const [first] = tasks
  if (first === undefined) return []
  const blank = createTaskState(run, first.spec, { by: 0, at: 0 })
  const fields = Object.keys(blank).filter((field) => !derived.has(field) && !ofSpec.has(field)) as (keyof TaskState)[]
  const common: Record<string, unknown> = {}
  // An object is read by the names of its fields more slowly than a list.
  const usual = fields.map((field) => {
    const own = first[field]
    if (own === blank[field] || isCompound(own)) return blank[field]
    common[field] = own
    return own
  })
  return [
    { key: `${commonPrefix}${first.id}`, seq: latestOf(tasks), value: common as Json },
    ...tasks.map((task) => taskRecord(run, task, fields, usual)),
  ]
}

function latestOf(tasks: readonly TaskState[]): number {
  return tasks.reduce((most, task) => Math.max(most, task.seq), 0)
}

/** A list or an object, which hardly any other task has. */
function isCompound(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** `usual` are the values of the fields that need not be said. */
function taskRecord(
  run: RunState,
  task: TaskState,
  fields: readonly (keyof TaskState)[],
  usual: readonly TaskState[keyof TaskState][],
): SnapshotRecord {
  const { id, spec, priority, requirement, gates } = task
  const value: Record<string, unknown> = { spec: specRecord(spec) }
  if (priority !== priorityOf(spec)) value['priority'] = priority
  if (requirement !== run.requirements.of(spec)) value['requirement'] = requirement
  if (gates !== null) value['gates'] = gates
  for (let place = 0; place < fields.length; place += 1) {
    const field = fields[place]!
    const own = task[field]
    if (own !== usual[place]) value[field] = own
  }
  if (task.workerSeqs.length > 0) value['workerSeqs'] = Object.fromEntries(task.workerSeqs)
  return { key: `${taskPrefix}${id}`, seq: task.seq, value: value as Json }
}
