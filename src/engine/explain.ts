import type { Gates } from './gates.ts'
import { mismatches } from './requirement.ts'
import { instant } from './instant.ts'
import { awaitsVerdict } from './state.ts'
import type { RunState, TaskState } from './state.ts'
import type { WorkerFacts } from './worker-facts.ts'
import type { TaskStatus } from '../lifecycles/lease.ts'

/** What a task waits for. */
export type WaitReason =
  | 'dependency'
  | 'verdict'
  | 'backoff'
  | 'pause'
  | 'start'
  | 'worker'
  | 'slot'
  | 'run_limit'
  | 'fleet_limit'
  | 'class_limit'
  | 'key_limit'
  | 'claim'
  | 'not_carried'

/** Why a task is not running (RU9). */
export interface Explanation {
  readonly task_id: string
  readonly status: TaskStatus
  /** Empty when it runs, or has ended, or is about to be leased. */
  readonly waits: readonly { readonly for: WaitReason; readonly message: string }[]
  /** The workers that were considered, each with what speaks against it; an empty list means that it may take the task. */
  readonly workers: readonly {
    readonly id: string
    readonly status: string
    readonly free: number
    readonly against: readonly string[]
  }[]
}

/** A worker as `explain` looks at it. */
export interface ConsideredWorker {
  readonly facts: WorkerFacts
  readonly status: string
  readonly free: number
}

/** What the fleet of this process knows besides the run. */
export interface FleetFacts {
  readonly workers: readonly ConsideredWorker[]
  /** It has as many leases as it gives out at once. */
  readonly full: boolean
  readonly gates: Gates
  /** Epoch milliseconds. */
  readonly now: number
}

/** Explains a task by the durable state and the workers of this process; elsewhere `workers` is undefined. */
export function explainTask(run: RunState, task: TaskState, fleet: FleetFacts | undefined): Explanation {
  const waits: { for: WaitReason; message: string }[] = []
  const say = (reason: WaitReason, message: string): void => void waits.push({ for: reason, message })
  const considered = (fleet?.workers ?? []).map((worker) => ({
    id: worker.facts.id,
    status: worker.status,
    free: worker.free,
    against: mismatches(task.requirement, worker.facts),
  }))
  if (task.status === 'blocked') explainBlocked(run, task, say)
  if (task.status === 'backoff' && task.notBefore !== null) {
    say(
      'backoff',
      task.failures > 0
        ? `It waits until ${instant(task.notBefore)} before its next attempt.`
        : `It may start at ${instant(task.notBefore)}.`,
    )
  }
  if (task.status === 'enqueued' || task.status === 'blocked' || task.status === 'backoff') {
    if (run.status === 'paused') say('pause', 'The run is paused.')
    if (run.status === 'pending') say('start', 'The run has not been started.')
  }
  if (task.status === 'enqueued' && (run.status === 'queued' || run.status === 'running')) {
    const able = considered.filter((worker) => worker.against.length === 0)
    if (fleet === undefined || !run.carried) say('not_carried', 'No fleet that is known here carries this run on.')
    else if (able.length === 0) say('worker', 'No registered worker can take it.')
    else if (!able.some((worker) => worker.free > 0)) {
      say(
        'slot',
        `No worker that can take it has a free slot: ${able.map((worker) => `${worker.id} (${worker.status})`).join(', ')}.`,
      )
    }
    const { max_workers: most } = run.header
    if (most !== undefined && run.working >= most) say('run_limit', `The run has its ${most} lease(s).`)
    if (fleet !== undefined && task.gates !== null)
      for (const gate of fleet.gates.against(task.gates, fleet.now)) say(gate.for, gate.message)
    if (fleet?.full === true) say('fleet_limit', 'The fleet gives out no more leases at once.')
  }
  return { task_id: task.id, status: task.status, waits, workers: considered }
}

function explainBlocked(run: RunState, task: TaskState, say: (reason: WaitReason, message: string) => void): void {
  for (const id of task.spec.depends_on ?? []) {
    const dependency = run.tasks.get(id)
    if (dependency === undefined) continue
    if (awaitsVerdict(dependency)) say('verdict', `It waits for a person’s verdict on ${id}.`)
    else if (dependency.status !== 'completed') say('dependency', `It waits for ${id}, which is ${dependency.status}.`)
  }
}
