import type { SnapshotRecord, SnapshotShard, SnapshotSource } from '../ports/store.ts'
import type { Json } from '../protocol/json.ts'
import { createTaskState, priorityOf } from './state.ts'
import type { FleetState, RunState, TaskState } from './state.ts'

const tasksPerShard = 500

/**
 * The run's state as records that each name the entry that last set them (ST2): the run itself, then its tasks in their order. `through`
 * tells when everything decided so far is durable, or that it never will be.
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
    yield {
      seq: some.reduce((most, task) => Math.max(most, task.seq), 0),
      records: () => recordsOfTasks(run, some),
    }
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

/** What is derived from the other fields, or from the place of the record. */
const derived: ReadonlySet<string> = new Set(['index', 'openDependencies', 'policy', 'version', 'workerSeqs'])
/** What a new task has of its spec. */
const ofSpec: ReadonlySet<string> = new Set(['id', 'spec', 'priority', 'requirement', 'gates'])

/** What a new task of the same spec has is left out. All tasks have the same fields, and new ones differ in those of their spec alone. */
function recordsOfTasks(run: RunState, tasks: readonly TaskState[]): SnapshotRecord[] {
  const [first] = tasks
  if (first === undefined) return []
  const blank = createTaskState(run, first.spec, { by: 0, at: 0 })
  const fields = Object.keys(blank).filter((field) => !derived.has(field) && !ofSpec.has(field)) as (keyof TaskState)[]
  const blanks = fields.map((field) => blank[field])
  return tasks.map((task) => taskRecord(run, task, fields, blanks))
}

/** `blanks` are what a new task has in the fields: an object is read by the names of its fields more slowly than a list. */
function taskRecord(
  run: RunState,
  task: TaskState,
  fields: readonly (keyof TaskState)[],
  blanks: readonly TaskState[keyof TaskState][],
): SnapshotRecord {
  const { id, spec, priority, requirement, gates } = task
  const value: Record<string, unknown> = { spec }
  if (priority !== priorityOf(spec)) value['priority'] = priority
  if (requirement !== run.requirements.of(spec)) value['requirement'] = requirement
  if (gates !== null) value['gates'] = gates
  for (const [place, field] of fields.entries()) {
    const own = task[field]
    if (own !== blanks[place]) value[field] = own
  }
  if (task.workerSeqs.length > 0) value['workerSeqs'] = Object.fromEntries(task.workerSeqs)
  return { key: `task:${id}`, seq: task.seq, value: value as Json }
}
