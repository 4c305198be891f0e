import type { ConcurrencyLimits } from '../engine/gates.ts'
import { wholeReceipt } from '../engine/receipt-record.ts'
import { boundsInvariants } from './bounds-invariants.ts'
import { hasEnded, holdsLease, isAtWork } from './model.ts'
import type { Happened, ModelRun, ModelTask } from './model.ts'

/** What a simulation knows at one moment. */
export interface World {
  /** Milliseconds of the clock that only grows. */
  readonly now: number
  readonly runs: ReadonlyMap<string, ModelRun>
  /** Slots by worker. */
  readonly slots: Readonly<Record<string, number>>
  readonly maxLeases: number
  readonly leaseTtlMs: number
  readonly concurrency: ConcurrencyLimits
  /**
   * An append is whole for each of its runs, not for all: a crash in its middle may leave the lease that took a slot, and not the end
   * that freed it, until the next process has given back what was cut off. Whether that may be so now.
   */
  isTorn(): boolean
  /** When something of this attempt was last heard, or its lease was seen; undefined when neither. */
  heardAt(run: string, task: string, attempt: number): number | undefined
  /** Which worker said that the attempt ended so. */
  saidBy(run: string, task: string, attempt: number, what: 'result' | 'failed'): string | undefined
}

/** What must hold in every simulated run. Each says what is wrong, or nothing. */
export interface Invariant {
  /** Of every entry, as it becomes durable. */
  readonly entry?: (happened: Happened, world: World) => string | undefined
  /** Whenever everything has settled. */
  readonly step?: (world: World) => string | undefined
}

/** The rules that every fleet keeps (DE4), by their ids. */
export const fleetInvariants: Readonly<Record<string, Invariant>> = {
  'EV1 sequences are dense': { entry: dense },
  'LE1 one live lease, and attempts that grow by one': { entry: oneLease },
  'LE2 only the live attempt moves its task': { entry: onlyTheLive },
  'LE4 a lease of which nothing is heard ends': { step: noForgottenLease },
  'LE8 crashes of the fleet give back at most twice in a row': {
    entry: ({ entry }) => ((entry.set?.crashes ?? 0) > 2 ? `${entry.set?.crashes} releases by a crash in a row` : undefined),
  },
  'RE1 retries are as many as the policy says': { entry: retries },
  'RE2 the wait before a retry is what the policy says': { entry: backoff },
  'RU3 a run ends with its last task, as its tasks did': { step: endings },
  'RU4 a run that does not run gives out no leases': {
    entry: ({ run, before, task }) =>
      isLeasing(before, task) && run.status !== 'running' && run.status !== 'queued' ? `leased while ${run.status}` : undefined,
  },
  'SC1 no more leases than slots': { step: slots },
  'SC5 dependencies come first': { entry: dependencies },
  ...boundsInvariants,
  'VE6 one receipt for every attempt that was judged': { entry: receipts },
}

function isLeasing(before: ModelTask | undefined, task: ModelTask | undefined): boolean {
  return isAtWork(task) && !holdsLease(before)
}

function dense({ run, entry, before }: Happened): string | undefined {
  if (entry.seq !== run.seq) return `entry ${entry.seq} stands at place ${run.seq}`
  if (before === undefined || entry.events === undefined || entry.worker === undefined) return undefined
  const expected = (before.reported[entry.worker] ?? 0) + 1
  return entry.workerSeq === expected
    ? undefined
    : `the events of ${entry.worker} go on with ${entry.workerSeq}, not with ${expected}`
}

function oneLease({ entry, before, task }: Happened): string | undefined {
  if (before === undefined || task === undefined) return undefined
  if (isLeasing(before, task)) {
    if (before.status !== 'enqueued') return `leased while ${before.status}`
    return task.attempt === before.attempt + 1 ? undefined : `attempt ${task.attempt} follows ${before.attempt}`
  }
  if (entry.set?.attempt !== undefined && entry.set.attempt !== before.attempt)
    return `the attempt changed from ${before.attempt} to ${entry.set.attempt} without a lease`
  return undefined
}

function onlyTheLive({ run, entry, before, task }: Happened, world: World): string | undefined {
  if (before === undefined || task === undefined || entry.set?.status === undefined || isLeasing(before, task)) return undefined
  if (entry.attempt !== undefined && entry.attempt !== before.attempt)
    return `attempt ${entry.attempt} moved it while ${before.attempt} was the last`
  const isFinished = task.status === 'verifying' || task.status === 'completed'
  if (!isAtWork(before) || !isFinished) return undefined
  const by = world.saidBy(run.id, task.id, task.attempt, 'result')
  return by === before.worker ? undefined : `it finished, but ${by ?? 'nobody'} said so of its attempt ${task.attempt}`
}

/** Time for a store that fails, and for what is on its way. */
export const slackMs = 30_000

function noForgottenLease({ runs, now, leaseTtlMs, heardAt }: World): string | undefined {
  for (const { task, run } of tasksOf(runs)) {
    if (!isAtWork(task)) continue
    const silent = now - (heardAt(run.id, task.id, task.attempt) ?? now)
    if (silent > leaseTtlMs + slackMs)
      return `${task.id} of ${run.id} is ${task.status}, ${silent / 1_000} s after the last word of it`
  }
  return undefined
}

/** What counts when a task names no policy (RE1). */
const usual = { max_attempts: 3, initial_backoff_seconds: 5, max_backoff_seconds: 300, backoff_multiplier: 2 }

function isFailure({ entry, before }: Happened): boolean {
  return holdsLease(before) && (entry.receipt?.result === 'fail' || entry.receipt?.result === 'timeout')
}

function retries(happened: Happened): string | undefined {
  const { entry, task } = happened
  if (task === undefined || !isFailure(happened)) return undefined
  const most = Math.max(1, task.spec.retry_policy?.max_attempts ?? usual.max_attempts)
  // What ran out of attempts says that it is final too; that is what is held against the policy here.
  const isFinal = entry.events?.some(
    (event) => event.state === 'failed' && !event.recoverable && !event.reason.startsWith('retry attempts exhausted'),
  )
  if (task.status !== 'failed')
    return task.failures < most && isFinal !== true ? undefined : `tried again after ${task.failures} of ${most} attempts`
  if (task.spec.retry_policy?.retry_on !== undefined || entry.receipt?.failure_kind === 'verifier') return undefined
  return task.failures >= most || isFinal === true ? undefined : `given up after ${task.failures} of ${most} attempts`
}

function backoff(happened: Happened): string | undefined {
  const { entry, task } = happened
  if (task === undefined || !isFailure(happened) || task.status === 'failed') return undefined
  const policy = task.spec.retry_policy ?? usual
  const seconds = Math.min(
    policy.max_backoff_seconds,
    policy.initial_backoff_seconds * policy.backoff_multiplier ** (task.failures - 1),
  )
  const expected = seconds * 1_000
  const waits = entry.set?.notBefore == null ? 0 : entry.set.notBefore - entry.at
  return waits === expected ? undefined : `it waits ${waits} ms before its next attempt, not ${expected}`
}

function endings({ runs }: World): string | undefined {
  for (const run of runs.values()) {
    const tasks = [...run.tasks.values()]
    const open = tasks.filter((task) => !hasEnded(task)).length
    if (hasEnded(run) && open > 0) return `${run.id} is ${run.status} with ${open} open tasks`
    if (!run.opened || !run.sealed || open > 0 || tasks.length === 0) continue
    if (!hasEnded(run)) return `${run.id} is ${run.status} although every task has ended`
    const expected = endOf(tasks)
    if (!run.cancelled && run.status !== expected) return `${run.id} ended ${run.status}; its tasks say ${expected}`
  }
  return undefined
}

function endOf(tasks: readonly ModelTask[]): string {
  const has = (status: string): boolean => tasks.some((task) => task.status === status)
  return has('failed') ? 'failed' : has('cancelled') ? 'cancelled' : 'completed'
}

function slots({ runs, slots: most, maxLeases, isTorn }: World): string | undefined {
  if (isTorn()) return undefined
  const perWorker = new Map<string, string[]>()
  const perRun = new Map<ModelRun, number>()
  let all = 0
  for (const { task, run } of tasksOf(runs)) {
    if (!isAtWork(task) || task.worker === undefined) continue
    all += 1
    const held = perWorker.get(task.worker) ?? []
    held.push(`${task.spec.id}#${task.attempt} of ${run.id}`)
    perWorker.set(task.worker, held)
    perRun.set(run, (perRun.get(run) ?? 0) + 1)
  }
  for (const [worker, held] of perWorker)
    if (held.length > (most[worker] ?? Infinity)) return `${worker} holds ${held.length} leases: ${held.join(', ')}`
  for (const [run, held] of perRun) if (held > (run.header.max_workers ?? Infinity)) return `${run.id} holds ${held} leases`
  return all > maxLeases ? `the fleet holds ${all} leases` : undefined
}

function dependencies({ run, before, task }: Happened): string | undefined {
  if (!isLeasing(before, task)) return undefined
  const open = (task?.spec.depends_on ?? []).filter((id) => run.tasks.get(id)?.status !== 'completed')
  return open.length === 0 ? undefined : `leased before ${open.join(', ')}`
}

function receipts({ run, entry, before, task }: Happened): string | undefined {
  if (before === undefined || task === undefined || entry.kind === 'task.settled') return undefined
  const receipt = wholeReceipt(run.id, entry)
  // A task that is cancelled while it waits has a receipt of its own, which is of no attempt.
  if (receipt?.attempt !== undefined && before.judged.has(receipt.attempt)) return `attempt ${receipt.attempt} has two receipts`
  if (receipt?.attempt !== undefined && !holdsLease(before)) return `a receipt of attempt ${receipt.attempt}, which is not live`
  if (!holdsLease(before) || holdsLease(task)) return undefined
  const isGivenBack = entry.events?.some((event) => event.state === 'interrupted') === true && !hasEnded(task)
  if (isGivenBack) return receipt === undefined ? undefined : 'it was given back, and has a receipt'
  return receipt?.attempt === before.attempt ? undefined : `attempt ${before.attempt} ended ${task.status} without its receipt`
}

function* tasksOf(runs: World['runs']): Generator<{ readonly run: ModelRun; readonly task: ModelTask }> {
  for (const run of runs.values()) {
    if (hasEnded(run)) continue
    for (const task of run.tasks.values()) yield { run, task }
  }
}
