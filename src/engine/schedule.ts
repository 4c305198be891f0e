import type { FleetWorkerEventPayload } from '../protocol/event.ts'
import type { Defaults } from './defaults.ts'
import { leaseStep, reported, runStep } from './decide.ts'
import type { DecideContext } from './decide.ts'
import type { Decision } from './entry.ts'
import { usualTerms } from '../security/trust.ts'
import { instant } from './instant.ts'
import { clear } from './state.ts'
import type { RunState, TaskState } from './state.ts'

/** What scheduling sees of a worker that could take a task now. */
export interface OpenWorker {
  readonly id: string
  readonly incarnation: string
  /** No `accepted` is awaited: leased, starting and running are one step. */
  readonly startsAtOnce: boolean
}

/** The workers as scheduling asks for them. */
export interface Roster {
  /** Whether any worker has a free slot. */
  anyFree(): boolean
  /** A worker with a free slot that matches, preferably not `avoid` (RE4), else undefined. */
  freeFor(requirement: TaskState['requirement'], avoid: string | null): OpenWorker | undefined
}

/** How long an attempt of the task may run (LE7). */
export function attemptTimeoutMs(task: TaskState, defaults: Defaults): number {
  const seconds = task.spec.timeout_seconds
  return seconds === undefined ? defaults.attemptTimeoutMs : seconds * 1000
}

/**
 * Leases what can be leased: runs take turns; within a run priority, then time of enqueuing, then place in the spec (SC2). A task that
 * no free worker can take is passed over (SC4).
 */
export function* schedule(context: DecideContext, roster: Roster): Decision {
  const { state, defaults } = context
  // Whoever leased goes to the end of the line, where the walk meets it again; whoever was passed over cannot lease later in the walk.
  for (const runId of state.turns) {
    if (state.working >= defaults.maxLeases || !roster.anyFree()) return
    const run = state.runs.get(runId)
    const task = run?.ready.first((requirement) => roster.freeFor(requirement, null) !== undefined, state.gates, context.now)
    const worker = task && roster.freeFor(task.requirement, task.failedOn)
    if (run === undefined || task === undefined || worker === undefined) continue
    yield* lease(context, run, task, worker)
    if (state.turns.delete(runId)) state.turns.add(runId)
  }
}

function* lease(context: DecideContext, run: RunState, task: TaskState, worker: OpenWorker): Decision {
  const { now, defaults } = context
  if (run.status === 'queued') yield { on: run.header.id, kind: 'run.stepped', run: runStep(run, { type: 'lease' }, now) }
  const terms = context.termsOf(task, worker.id)
  const restart = task.attempt > 0 && !task.released
  const set = worker.startsAtOnce ? leaseStep(task, { type: 'lease' }, { type: 'accept' }) : leaseStep(task, { type: 'lease' })
  set.worker = worker.id
  set.incarnation = worker.incarnation
  set.leasedAt = now
  // Said once per lease, and only where it is not what is said by saying nothing (SE1).
  if (terms !== usualTerms) set.permissions = terms.permissions
  clear(set, task, 'notBefore', 'notBeforeMs')
  if (restart) set.restarts = task.restarts + 1
  if (task.released) set.released = false
  if (worker.startsAtOnce) {
    const timeoutMs = attemptTimeoutMs(task, defaults)
    set.timeoutAt = now + timeoutMs
    set.timeoutMs = timeoutMs
    if (task.stale) set.stale = false
  }
  const {
    worker: reporter,
    workerSeq,
    events,
  } = reported(task, worker.id, leaseEvents(task, worker, restart, now + defaults.leaseTtlMs))
  yield {
    on: run.header.id,
    kind: 'task.stepped',
    task: task.id,
    attempt: set.attempt,
    set,
    worker: reporter,
    workerSeq,
    events,
    effects: ['worker.start'],
  }
}

function leaseEvents(task: TaskState, worker: OpenWorker, restart: boolean, expiresAt: number): FleetWorkerEventPayload[] {
  const events: FleetWorkerEventPayload[] = [{ state: 'leased', lease_expires_at: instant(expiresAt) }]
  if (restart) events.push({ state: 'restarted', restart_count: task.restarts + 1 })
  events.push({ state: 'starting' })
  if (worker.startsAtOnce) events.push({ state: 'running' })
  return events
}
