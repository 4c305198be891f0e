import type { Snapshot, Store } from '../ports/store.ts'
import type { Entry } from './entry.ts'
import { countDependencies, fold, restoreTask, updateTurn } from './fold.ts'
import { createRunState, createTaskState } from './state.ts'
import type { RunHeader } from './run-header.ts'
import type { FleetState, RunState, TaskState } from './state.ts'

const page = 5_000

/**
 * Reads a run from the store into the state: its snapshot, then the entries after it (CO4). Undefined when the store has no such run.
 * `carried`: whether this fleet leases its tasks.
 */
export async function loadRun(state: FleetState, store: Store, runId: string, carried: boolean): Promise<RunState | undefined> {
  const snapshot = await store.loadSnapshot(runId)
  if (snapshot !== undefined) restore(state, runId, snapshot)
  let from = (state.runs.get(runId)?.seq ?? 0) + 1
  for (;;) {
    const entries = (await store.read(runId, { from, limit: page })) as unknown as Entry[]
    for (const entry of entries) fold(state, runId, entry)
    if (entries.length < page) break
    from += entries.length
  }
  const run = state.runs.get(runId)
  if (run === undefined) return undefined
  run.carried = carried
  updateTurn(state, run)
  return run
}

function restore(state: FleetState, runId: string, snapshot: Snapshot): void {
  const [own, ...tasks] = snapshot.records
  if (own === undefined) return
  const { header, posted, ...fields } = own.value as unknown as { header: RunHeader; posted: string[] } & Partial<RunState>
  const run = createRunState(header)
  Object.assign(run, fields)
  run.seq = snapshot.seq
  for (const id of posted) run.posted.add(id)
  state.runs.set(runId, run)
  for (const { value } of tasks) {
    const { workerSeqs, spec, ...rest } = value as unknown as Omit<TaskState, 'workerSeqs'> & {
      workerSeqs: Record<string, number>
    }
    const task = createTaskState(run, spec, 0)
    Object.assign(task, rest)
    task.workerSeqs = new Map(Object.entries(workerSeqs))
    restoreTask(state, run, task)
  }
  for (const id of run.tasks.keys()) countDependencies(run, id)
}
