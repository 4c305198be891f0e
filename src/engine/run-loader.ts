import type { Clock } from '../ports/clock.ts'
import type { Snapshot, Store } from '../ports/store.ts'
import type { Entry, WorkerRecord } from './entry.ts'
import { adopt, countDependencies, fleetStream, fold, restoreTask } from './fold.ts'
import { handled } from '../protocol/handled.ts'
import { inSlices } from '../protocol/steps.ts'
import type { Steps } from '../protocol/steps.ts'
import { lengthen, readSpecs } from './ended-spec.ts'
import { createFleetState, createRunState, createTaskState, isEndedTask } from './state.ts'
import type { RunHeader } from './run-header.ts'
import { commonPrefix, taskPrefix } from './snapshot.ts'
import { wholeSpec } from './spec-record.ts'
import type { SpecRecord } from './spec-record.ts'
import type { FleetState, RunState, TaskState } from './state.ts'
import { onlySeq } from './worker-seqs.ts'
import type { WorkerSeqs } from './worker-seqs.ts'

/** Few enough that these, and as many that are fetched meanwhile, are folded and gone before the collector of garbage looks for what is young. */
const entriesAtOnce = 500

/**
 * Reads a run from the store: its snapshot, then the entries after it (CO4). It is put together beside the state, since reading takes
 * many turns of the event loop, and enters it whole. Undefined when the store has no such run. `carried`: whether this fleet leases its
 * tasks.
 */
export async function loadRun(
  state: FleetState,
  source: { readonly store: Store; readonly clock: Clock },
  runId: string,
  carried: boolean,
): Promise<RunState | undefined> {
  const aside = createFleetState()
  await readInto(aside, source, runId)
  const run = aside.runs.get(runId)
  if (run === undefined) return undefined
  // A task that was restarted after it had ended works with its whole spec again.
  const restarted: TaskState[] = []
  for (const task of run.tasks.values()) {
    if (task.isShort && !isEndedTask(task.status)) restarted.push(task)
    // A scorer gets it, and whoever settles: entries that were read may share it.
    if (task.pending !== null) task.pending = structuredClone(task.pending)
  }
  lengthen(run, await readSpecs(source, runId, restarted))
  run.carried = carried
  run.durableSeq = run.seq
  adopt(state, aside, run)
  return run
}

/**
 * Reads the stream of the fleet's own, its workers (WO1), in place of what the state has of it. Gives its last sequence, and how many
 * entries had to be read because no snapshot holds them.
 */
export async function loadFleetStream(
  state: FleetState,
  source: { readonly store: Store; readonly clock: Clock },
): Promise<{ readonly seq: number; readonly read: number }> {
  const aside = createFleetState()
  const read = await readInto(aside, source, fleetStream)
  state.workers.clear()
  for (const [id, record] of aside.workers) state.workers.set(id, record)
  state.fleetSeq = aside.fleetSeq
  return { seq: aside.fleetSeq, read }
}

/** Gives how many entries it read. */
async function readInto(
  state: FleetState,
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  runId: string,
): Promise<number> {
  const snapshot = await store.loadSnapshot(runId)
  if (snapshot !== undefined && runId === fleetStream) restoreWorkers(state, snapshot)
  else if (snapshot !== undefined) await inSlices(restoring(state, runId, snapshot), clock)
  const first = (snapshot?.seq ?? 0) + 1
  const page = (from: number) => store.read(runId, { from, limit: entriesAtOnce, mayShare: true })
  let reading = page(first)
  for (let from = first; ; from += entriesAtOnce) {
    const entries = (await reading) as unknown as Entry[]
    const isLast = entries.length < entriesAtOnce
    // What comes next is fetched from the disk while this is folded.
    if (!isLast) reading = handled(page(from + entriesAtOnce))
    await inSlices(folding(state, runId, entries), clock)
    if (isLast) return from + entries.length - first
  }
}

function restoreWorkers(state: FleetState, { seq, records }: Snapshot): void {
  state.fleetSeq = seq
  for (const { value } of records) {
    const record = value as unknown as WorkerRecord
    state.workers.set(record.id, record)
  }
}

/** In steps: an entry may add many tasks; of others some make a step together. */
function* folding(state: FleetState, runId: string, entries: readonly Entry[]): Steps {
  let folded = 0
  for (const entry of entries) {
    fold(state, runId, entry)
    folded += 1
    if (entry.tasks !== undefined || folded % entriesInStep === 0) yield
  }
}

/** Some microseconds each. */
const entriesInStep = 8

/** What the tasks that follow have where they say nothing else. */
type Common = Partial<TaskState>

/** What a record of a task has, besides the fields that are not what they are in common. */
interface RecordedTask {
  readonly spec: SpecRecord
  readonly workerSeqs?: Readonly<Record<string, number>>
}

function* restoring(state: FleetState, runId: string, snapshot: Snapshot): Steps {
  const [own] = snapshot.records
  if (own === undefined) return
  const { header, posted, ...fields } = own.value as unknown as { header: RunHeader; posted: string[] } & Partial<RunState>
  const run = createRunState(header)
  Object.assign(run, fields)
  run.seq = snapshot.seq
  run.snapshotSeq = snapshot.seq
  for (const id of posted) run.posted.add(id)
  state.runs.set(runId, run)
  let common: Common = {}
  for (const { key, seq, value } of snapshot.records) {
    if (key.startsWith(commonPrefix)) common = value as Common
    if (!key.startsWith(taskPrefix)) continue
    const { workerSeqs, spec: record } = value as unknown as RecordedTask
    const spec = wholeSpec(key.slice(taskPrefix.length), record)
    const task = createTaskState(run, spec, { by: 0, at: 0 })
    Object.assign(task, common, value)
    task.seq = seq
    task.spec = spec
    if (workerSeqs !== undefined) task.workerSeqs = seqsOf(run, workerSeqs)
    restoreTask(state, run, task)
    yield
  }
  for (const task of run.tasks.values()) {
    countDependencies(run, task)
    yield
  }
}

function seqsOf(run: RunState, recorded: Readonly<Record<string, number>>): WorkerSeqs {
  const pairs = Object.entries(recorded)
  const [only] = pairs
  return pairs.length === 1 && only !== undefined ? onlySeq(run.workerSeqs, ...only) : pairs
}
