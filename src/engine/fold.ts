import type { FleetWorkerEventPayload } from '../protocol/event.ts'
import { changedAlerts, unsettledAlerts } from './alert-record.ts'
import { shortenSpec } from './ended-spec.ts'
import { isEnqueuedAtOnce, addedId, addedSpec } from './entry.ts'
import type { Entry } from './entry.ts'
import { createRunState, createTaskState, fleetReporter, isEndedTask, isLeased, isWorking, satisfies } from './state.ts'
import type { FleetState, RunState, TaskState } from './state.ts'
import { count } from './tally.ts'
import type { TaskGates } from './task-gates.ts'
import { withSeq } from './worker-seqs.ts'

/** The stream of the fleet's own, a reserved id (WO1). */
export const fleetStream = 'fleet'

const rememberedPosts = 256

/**
 * Applies one entry. The only place that changes the durable state: it merges changed fields and keeps what is derived from them
 * (counts, queues, holdings) in step. It runs no machine and asks nobody (CO4).
 */
export function fold(state: FleetState, runId: string, entry: Entry): void {
  if (runId === fleetStream) {
    state.fleetSeq = entry.seq
    if (entry.record !== undefined) state.workers.set(entry.record.id, entry.record)
    return
  }
  if (entry.created !== undefined) state.runs.set(runId, createRunState(entry.created))
  const run = state.runs.get(runId)
  if (run === undefined) return
  run.seq = entry.seq
  run.lastAt = entry.at
  if (entry.posted !== undefined) rememberPost(run, entry.posted)
  if (entry.run !== undefined) {
    Object.assign(run, entry.run)
    // A long creation opens with its last entry; what it had queued becomes leasable then (RU1).
    updateTurn(state, run)
  }
  const dependants: TaskState[] = []
  for (const added of entry.tasks ?? []) {
    // A snapshot may hold a task that a later entry adds.
    if (run.tasks.has(addedId(added))) continue
    const task = createTaskState(run, addedSpec(added), { by: entry.seq, at: entry.at })
    addTask(run, task)
    if (isEnqueuedAtOnce(added)) task.fleetSeq = 1
    change(state, run, task, entry, added.set)
    if ((task.spec.depends_on ?? []).length > 0) dependants.push(task)
  }
  // Dependencies may stand behind their dependants in one list, so they are counted when all are there.
  for (const task of dependants) countDependencies(run, task)
  if (entry.task === undefined) return
  const task = run.tasks.get(entry.task)
  // A snapshot may already hold what the entry says.
  if (task === undefined || task.seq >= entry.seq) return
  change(state, run, task, entry, entry.set)
}

/** Takes a run out of the state, giving back the slots that its tasks held. */
export function forget(state: FleetState, run: RunState): void {
  for (const task of run.tasks.values()) {
    if (isWorking(task.status)) hold(state, task.worker, -1)
    if (task.gates !== null && isLeased(task.status)) state.gates.release({ run: run.header.id, task: task.id }, task.gates)
  }
  state.working -= run.working
  state.turns.delete(run.header.id)
  state.runs.delete(run.header.id)
}

/** Brings a run that was read beside the state into it, with the slots that its tasks hold. */
export function adopt(state: FleetState, aside: FleetState, run: RunState): void {
  state.runs.set(run.header.id, run)
  state.working += aside.working
  for (const [worker, held] of aside.holdings) hold(state, worker, held)
  for (const { id, gates, status, leasedAt } of run.tasks.values()) {
    if (gates === null || leasedAt === null) continue
    state.gates.started(gates, leasedAt)
    if (isLeased(status)) state.gates.hold({ run: run.header.id, task: id }, gates)
  }
  updateTurn(state, run)
}

/** Puts a task that was read from a snapshot into its run. */
export function restoreTask(state: FleetState, run: RunState, task: TaskState): void {
  addTask(run, task)
  run.counts[task.status] += 1
  run.counts.blocked -= 1
  run.unsettled += unsettledAlerts(task.alerts)
  count(run.tally, task, 1)
  run.spend?.count(task, 1)
  if (task.worker !== null) run.workers.add(task.worker)
  if (isWorking(task.status)) holdSlot(state, run, task, 1)
  if (task.status === 'enqueued') run.ready.push(task)
  updateTurn(state, run)
}

/** Counts the dependencies of a task that have not completed. */
export function countDependencies(run: RunState, task: TaskState): void {
  task.openDependencies = (task.spec.depends_on ?? []).filter((id) => {
    const dependency = run.tasks.get(id)
    return dependency === undefined || !satisfies(dependency)
  }).length
}

function addTask(run: RunState, task: TaskState): void {
  run.tasks.set(task.id, task)
  run.counts.blocked += 1
  for (const dependency of task.spec.depends_on ?? []) {
    const list = run.dependants.get(dependency)
    if (list === undefined) run.dependants.set(dependency, [task.id])
    else list.push(task.id)
  }
}

function change(state: FleetState, run: RunState, task: TaskState, entry: Entry, set: Entry['set']): void {
  const before = task.status
  const satisfied = satisfies(task)
  const worked = isWorking(before)
  if (worked) holdSlot(state, run, task, -1)
  count(run.tally, task, -1)
  run.spend?.count(task, -1)
  task.seq = entry.seq
  const previousAttempt = task.attempt
  if (set !== undefined) Object.assign(task, set)
  if (task.attempt !== previousAttempt && task.artifacts.length > 0) task.artifacts = []
  if (entry.receipt !== undefined) {
    // What is spread has room for sixteen more.
    task.receipts = task.receipts.concat(entry.seq)
    task.result = entry.receipt.result
    task.failureKind = entry.receipt.failure_kind ?? null
  }
  count(run.tally, task, 1)
  run.spend?.count(task, 1)
  if (entry.alerts !== undefined) changeAlerts(run, task, entry.alerts)
  if (set?.worker != null) run.workers.add(set.worker)
  if (task.gates !== null) passGates(state, run, task, task.gates, isLeased(before))
  noteEvents(run, task, entry)
  if (isWorking(task.status)) holdSlot(state, run, task, 1)
  if (task.status !== before || set?.enqueuedAt !== undefined) {
    task.version += 1
    run.counts[before] -= 1
    run.counts[task.status] += 1
    if (task.status === 'enqueued') run.ready.push(task)
    if (isEndedTask(task.status) && !task.isShort) {
      task.spec = shortenSpec(task.spec, task.policy)
      task.isShort = true
    }
  }
  if (satisfies(task) !== satisfied) {
    for (const id of run.dependants.get(task.id) ?? []) {
      const dependant = run.tasks.get(id)
      if (dependant !== undefined) dependant.openDependencies += satisfied ? 1 : -1
    }
  }
  updateTurn(state, run)
}

/** A lease holds what its task claims and counts for, from its beginning to the verdict (SC6, SC7, VE1). */
function passGates(state: FleetState, run: RunState, task: TaskState, gates: TaskGates, wasLeased: boolean): void {
  const isNow = isLeased(task.status)
  if (isNow === wasLeased) return
  const holder = { run: run.header.id, task: task.id }
  if (!isNow) {
    state.gates.release(holder, gates)
    return
  }
  state.gates.hold(holder, gates)
  state.gates.started(gates, task.leasedAt ?? run.lastAt)
}

function changeAlerts(run: RunState, task: TaskState, changes: NonNullable<Entry['alerts']>): void {
  run.unsettled -= unsettledAlerts(task.alerts)
  task.alerts = changedAlerts(task.alerts, changes)
  run.unsettled += unsettledAlerts(task.alerts)
}

function noteEvents(run: RunState, task: TaskState, entry: Entry): void {
  if (entry.events === undefined || entry.worker === undefined || entry.workerSeq === undefined) return
  const last = entry.workerSeq + entry.events.length - 1
  if (entry.worker === fleetReporter) task.fleetSeq = last
  else task.workerSeqs = withSeq(run.workerSeqs, task.workerSeqs, entry.worker, last)
  const live = entry.attempt === undefined || entry.attempt === task.attempt
  for (const event of entry.events)
    if (live && event.state === 'artifact') task.artifacts = [...task.artifacts, artifactOf(event)]
}

function artifactOf(event: Extract<FleetWorkerEventPayload, { state: 'artifact' }>): TaskState['artifacts'][number] {
  const { state: _, ...artifact } = event
  return artifact
}

function holdSlot(state: FleetState, run: RunState, task: TaskState, by: 1 | -1): void {
  run.working += by
  state.working += by
  hold(state, task.worker, by)
}

function hold(state: FleetState, worker: string | null, by: number): void {
  if (worker === null) return
  const held = (state.holdings.get(worker) ?? 0) + by
  if (held > 0) state.holdings.set(worker, held)
  else state.holdings.delete(worker)
}

/** A run takes turns while it is carried, leasing, and has something enqueued; its place in the order is kept. */
export function updateTurn(state: FleetState, run: RunState): void {
  const leasing = run.carried && run.opened && (run.status === 'queued' || run.status === 'running')
  const room = run.header.max_workers === undefined || run.working < run.header.max_workers
  if (leasing && room && run.counts.enqueued > 0) state.turns.add(run.header.id)
  else state.turns.delete(run.header.id)
}

function rememberPost(run: RunState, id: string): void {
  run.posted.add(id)
  for (const oldest of run.posted) {
    if (run.posted.size <= rememberedPosts) break
    run.posted.delete(oldest)
  }
}
