import type { SnapshotRecord, SnapshotShard, SnapshotSource } from '../ports/store.ts'
import type { Json } from '../protocol/json.ts'
import { createTaskState } from './state.ts'
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
      records: () => {
        const fields = recorded(some[0])
        return some.map((task) => taskRecord(run, task, fields))
      },
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

/** All tasks have the same fields. */
function recorded(task: TaskState | undefined): readonly (keyof TaskState)[] {
  return Object.keys(task ?? {}).filter((field) => !derived.has(field)) as (keyof TaskState)[]
}

/** What a new task of the same spec has is left out. */
function taskRecord(run: RunState, task: TaskState, fields: readonly (keyof TaskState)[]): SnapshotRecord {
  const blank = createTaskState(run, task.spec, { by: 0, at: 0 })
  const value: Record<string, unknown> = { spec: task.spec }
  for (const field of fields) if (task[field] !== blank[field]) value[field] = task[field]
  if (task.workerSeqs.length > 0) value['workerSeqs'] = Object.fromEntries(task.workerSeqs)
  return { key: `task:${task.id}`, seq: task.seq, value: value as Json }
}
