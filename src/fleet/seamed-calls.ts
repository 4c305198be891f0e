import type { WorkerFacts } from '../engine/worker-facts.ts'
import type { Transport } from '../ports/transport.ts'
import type { Seam } from '../recording/seam.ts'
import type { FleetCalls } from './calls.ts'
import type { FleetLimits, FleetOptions } from './options.ts'
import type { WorkerPlan } from './workers-of.ts'

/** A worker as a recording has it: what is known of it, without the way to it. */
export interface NotedWorker {
  readonly facts: WorkerFacts
  readonly transport: Pick<Transport, 'kind' | 'enforces' | 'heartbeats' | 'startsAtOnce' | 'survives' | 'serves'>
}

/** What a fleet was opened with, as a recording has it. */
export interface NotedOpening {
  readonly limits: FleetLimits
  readonly options: Pick<
    FleetOptions,
    'leasing' | 'carryOn' | 'retention' | 'concurrency' | 'waitForStoreMs' | 'takeOver' | 'workspace'
  >
  readonly workers: readonly NotedWorker[]
}

export function openingOf(world: {
  readonly options: FleetOptions
  readonly limits: FleetLimits
  readonly plans: readonly WorkerPlan[]
}): NotedOpening {
  const { leasing, carryOn, retention, concurrency, waitForStoreMs, takeOver, workspace } = world.options
  return {
    limits: world.limits,
    options: { leasing, carryOn, retention, concurrency, waitForStoreMs, takeOver, workspace } as NotedOpening['options'],
    workers: world.plans.map(notedWorker),
  }
}

/** What is asked of a fleet, as it passes a seam. */
export function seamedCalls(seam: Seam, calls: FleetCalls, written: () => Promise<void>): FleetCalls {
  return {
    create: (asked) => seam.call('create', asked, () => calls.create(asked)),
    perform: (command) => seam.call('perform', command, () => calls.perform(command)),
    add: (asked) => seam.call('add', asked, () => calls.add(asked)),
    delete: (asked) => seam.call('delete', asked, () => calls.delete(asked)),
    addWorker: (plan) => seam.call('addWorker', notedWorker(plan), () => calls.addWorker(plan)),
    drain: (asked) => seam.call('drain', asked, () => calls.drain(asked)),
    async close(asked) {
      await seam.call('close', asked, () => calls.close(asked))
      await written()
    },
  }
}

function notedWorker({ facts, transport }: WorkerPlan): NotedWorker {
  const { kind, enforces, heartbeats, startsAtOnce, survives, serves } = transport
  return { facts, transport: { kind, enforces, heartbeats, startsAtOnce, survives, serves } }
}
