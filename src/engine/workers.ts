import type { Channel, Transport } from '../ports/transport.ts'
import type { FleetWorkerStatus } from '../protocol/worker.ts'
import { leaseTerms, usualTerms } from '../security/trust.ts'
import type { LeaseTerms } from '../security/trust.ts'
import { workerLifecycle } from '../lifecycles/worker.ts'
import type { WorkerEvent } from '../lifecycles/worker.ts'
import { effectiveTrust, isEnforced, mismatches } from './requirement.ts'
import type { Requirement } from './requirement.ts'
import type { OpenWorker, Roster } from './schedule.ts'
import type { TaskState } from './state.ts'
import type { WorkerFacts } from './worker-facts.ts'

/** A registered worker. Its status is presence: stepped through the machine, never stored (WO1). */
export interface Worker {
  readonly facts: WorkerFacts
  readonly transport: Transport
  incarnation: string
  status: FleetWorkerStatus
  channel: Channel | undefined
  /** Starts that failed, or drops, in a row (WO2). */
  failures: number
  /** Attempts that were written off and still run (WO3). */
  readonly abandoned: Set<string>
  draining: boolean
  /** It said that it takes no more attempts; its next hello takes that back. */
  resting: boolean
}

/** What the workers need to know of the leases. */
export interface LeaseCounts {
  /** Leases that the worker holds by the durable state. */
  held(worker: string): number
  /** Ended leases whose work is not confirmed to have ended (WO3). */
  lingering(worker: string): number
}

/** The workers of a fleet, and the choice among them. */
export interface Workers extends Roster {
  get(id: string): Worker | undefined
  all(): readonly Worker[]
  add(worker: Worker): void
  /** Steps a worker's status; what its machine does not accept changes nothing. */
  step(worker: Worker, event: WorkerEvent): void
  /** Brings a worker's status in line with the leases that it holds. */
  settle(worker: Worker): void
  /** The terms of a lease of the task to the worker (SE1). */
  termsOf(task: TaskState, worker: string): LeaseTerms
  /** Slots that could take a lease now. */
  free(worker: Worker): number
  /** Registered workers that match, whether free or not. */
  matching(requirement: Requirement): readonly Worker[]
}

const leased: WorkerEvent = { type: 'lease' }
const idle: WorkerEvent = { type: 'idle' }

export function createWorkers(counts: LeaseCounts, abandonedAtOnce: number): Workers {
  const workers = new Map<string, Worker>()
  let matches = new Map<string, readonly Worker[]>()

  function free(worker: Worker): number {
    if (worker.status !== 'online' && worker.status !== 'busy') return 0
    if (worker.resting || worker.abandoned.size >= abandonedAtOnce) return 0
    return worker.facts.slots - counts.held(worker.facts.id) - counts.lingering(worker.facts.id)
  }

  function matching(requirement: Requirement): readonly Worker[] {
    let found = matches.get(requirement.key)
    if (found === undefined) {
      found = [...workers.values()].filter(
        (worker) => worker.status !== 'retired' && mismatches(requirement, worker.facts).length === 0,
      )
      matches.set(requirement.key, found)
    }
    return found
  }

  function step(worker: Worker, event: WorkerEvent): void {
    const next = workerLifecycle.step({ value: worker.status, context: {} }, event)
    if (next === undefined) return
    if (next.value === 'retired') matches = new Map()
    worker.status = next.value
  }

  return {
    get: (id) => workers.get(id),
    all: () => [...workers.values()],
    add(worker) {
      workers.set(worker.facts.id, worker)
      matches = new Map()
    },
    step,
    settle(worker) {
      step(worker, counts.held(worker.facts.id) > 0 ? leased : idle)
    },
    termsOf({ requirement, spec }, id) {
      const worker = workers.get(id)
      if (worker === undefined) return usualTerms
      const level = effectiveTrust(requirement, worker.facts)
      if (level === usualTerms.level) return usualTerms
      const writablePaths = spec.workspace?.writable_paths ?? []
      return leaseTerms(level, {
        grants: requirement.grants,
        writablePaths,
        isEnforced: isEnforced(requirement, worker.facts),
      })
    },
    free: (worker) => Math.max(0, free(worker)),
    matching,
    anyFree() {
      for (const worker of workers.values()) if (free(worker) > 0) return true
      return false
    },
    freeFor(requirement, avoid): OpenWorker | undefined {
      let best: Worker | undefined
      for (const worker of matching(requirement)) {
        if (free(worker) <= 0) continue
        if (best === undefined || better(worker, best)) best = worker
      }
      return best === undefined
        ? undefined
        : { id: best.facts.id, incarnation: best.incarnation, startsAtOnce: best.transport.startsAtOnce }

      /** Another worker than the one that failed last (RE4), then the one with the most free slots. */
      function better(a: Worker, b: Worker): boolean {
        const aFailed = a.facts.id === avoid
        const bFailed = b.facts.id === avoid
        return aFailed === bFailed ? free(a) > free(b) : bFailed
      }
    },
  }
}
