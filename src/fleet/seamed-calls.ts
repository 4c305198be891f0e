import type { WorkerFacts } from '../engine/worker-facts.ts'
import type { Transport } from '../ports/transport.ts'
import type { Seam } from '../recording/seam.ts'
import type { FleetCalls } from './calls.ts'
import type { FleetLimits, FleetOptions } from './options.ts'
import type { WorkerPlan } from './workers-of.ts'

/** A worker as a recording has it: what is known of it, without the way to it. */
export interface NotedWorker {
  readonly facts: WorkerFacts
  readonly transport: Pick<Transport, 'kind' | 'enforces' | 'heartbeats' | 'startsAtOnce' | 'survives' | 'dialsIn' | 'serves'>
}

/** What a fleet was opened with, as a recording has it. */
export interface NotedOpening {
  readonly limits: FleetLimits
  readonly options: Pick<
    FleetOptions,
    'leasing' | 'carryOn' | 'retention' | 'concurrency' | 'waitForStoreMs' | 'takeOver' | 'workspace' | 'profiles' | 'roles'
  >
  readonly workers: readonly NotedWorker[]
  /** Whether it had a verifier. */
  readonly verifies: boolean
}

export function openingOf(world: {
  readonly options: FleetOptions
  readonly limits: FleetLimits
  readonly plans: readonly WorkerPlan[]
}): NotedOpening {
  const { leasing, carryOn, retention, concurrency, waitForStoreMs, takeOver, workspace, profiles, roles } = world.options
  return {
    limits: world.limits,
    options: {
      leasing,
      carryOn,
      retention,
      concurrency,
      waitForStoreMs,
      takeOver,
      workspace,
      profiles,
      roles,
    } as NotedOpening['options'],
    workers: world.plans.map(notedWorker),
    verifies: world.options.verifier !== undefined,
  }
}

/** What is asked of a fleet, as it passes a seam. */
export function seamedCalls(seam: Seam, calls: FleetCalls, written: () => Promise<void>): FleetCalls {
  return {
    create: (asked) => seam.call('create', withoutAddresses(asked), () => calls.create(asked)),
    perform: (command) => seam.call('perform', command, () => calls.perform(command)),
    add: (asked) => seam.call('add', withoutAddresses(asked), () => calls.add(asked)),
    delete: (asked) => seam.call('delete', asked, () => calls.delete(asked)),
    addWorker: (plan) => seam.call('addWorker', notedWorker(plan), () => calls.addWorker(plan)),
    drain: (asked) => seam.call('drain', asked, () => calls.drain(asked)),
    async close(asked) {
      await seam.call('close', asked, () => calls.close(asked))
      await written()
    },
  }
}

const addressFields: ReadonlySet<string> = new Set(['url', 'webhook_url', 'endpoint_url', 'routing_key'])

/**
 * Whoever has the address or the routing key of an alert may post to it, so neither is written down; equal ones stay equal, others apart.
 * What is no policy stays as it is, and so does a reference to a secret.
 */
function withoutAddresses<Asked>(asked: Asked): Asked {
  const known = new Map<string, string>()
  const covered = (value: string): string => {
    const before = known.get(value)
    if (before !== undefined) return before
    const name = `https://address-${known.size + 1}.invalid`
    known.set(value, name)
    return name
  }
  const walk = (value: unknown, inPolicy: boolean): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item, inPolicy))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, member]: [string, unknown]) => {
        const isAddress = inPolicy && addressFields.has(name) && typeof member === 'string' && !member.startsWith('<secret:')
        return [name, isAddress ? covered(member) : walk(member, inPolicy || name === 'alert_policy')]
      }),
    )
  }
  return walk(asked, false) as Asked
}

function notedWorker({ facts, transport }: WorkerPlan): NotedWorker {
  const { kind, enforces, heartbeats, startsAtOnce, survives, dialsIn, serves } = transport
  const noted = { kind, enforces, heartbeats, startsAtOnce, survives, serves, ...(dialsIn !== undefined && { dialsIn }) }
  return { facts, transport: noted }
}
