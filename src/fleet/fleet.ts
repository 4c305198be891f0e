import type { Engine } from '../engine/engine.ts'
import { unknownRun } from '../engine/run-command.ts'
import { isEndedRun } from '../engine/state.ts'
import { addCounters, countersOf, noTasks } from '../engine/views.ts'
import type { FleetSummary } from '../engine/views.ts'
import type { Bus, FleetListener } from '../observability/bus.ts'
import type { GapEvent } from '../observability/subscription.ts'
import type { RunRow, Store } from '../ports/store.ts'
import type { WorkerConnection } from '../ports/worker-connection.ts'
import type { AttachOutcome, WorkerDoor } from '../ports/worker-door.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetEvent, FleetEventName, FleetEventOf } from '../protocol/fleet-event.ts'
import type { FleetRunSpecInput } from '../protocol/run-spec.ts'
import type { FleetRunStatus } from '../protocol/run.ts'
import type { FleetWorkerStatus } from '../protocol/worker.ts'
import type { AttachOptions } from './attach.ts'
import { createWorkerDoor } from './attach.ts'
import type { FleetCalls } from './calls.ts'
import type { CreateOptions } from './creations.ts'
import type { WorkerOptions } from './options.ts'
import { createRunHandle } from './run-handle.ts'
import type { Run } from './run-handle.ts'
import { createRunReader } from './run-reader.ts'
import type { ReaderSource } from './run-reader.ts'
import { workerPlan } from './workers-of.ts'
import type { HostPorts } from './workers-of.ts'

/** A worker as the fleet sees it now. */
export interface WorkerView {
  readonly id: string
  readonly status: FleetWorkerStatus
  readonly kind: string
  readonly slots: number
  /** Leases that it holds. */
  readonly busy: number
  /** Attempts that were written off and have not ended (WO3). */
  readonly abandoned: number
  readonly capabilities: readonly string[]
}

/** A fleet of workers and the runs that it does with them. */
export interface Fleet extends AsyncDisposable, WorkerDoor<AttachOptions> {
  /** What was found and mended when the store was opened (ST4). */
  readonly warnings: readonly string[]
  /**
   * Creates a run, whole or not at all (RU1); it is `pending` until started. A large one is read and written in slices, with turns of
   * the event loop between them: leave the spec as it is until the promise has settled. Rejects `invalid_document` with everything that
   * is wrong, `unenforceable` with every field that nothing here would enforce, `run_exists`, `run_conflict`, `fleet_closed`.
   */
  create(spec: FleetRunSpecInput, options?: CreateOptions): Promise<Run>
  /** Creates a run and starts it, in one step. */
  start(spec: FleetRunSpecInput, options?: CreateOptions): Promise<Run>
  /** A run of this store, whatever its state. Rejects `unknown_run`. */
  run(id: string): Promise<Run>
  /** Runs of this store, newest first. */
  runs(query?: { readonly status?: readonly FleetRunStatus[]; readonly limit?: number }): Promise<readonly RunRow[]>
  workers(): readonly WorkerView[]
  /** Registers one more worker. Resolves when it has come up, or its first start has failed (it is tried again). */
  addWorker(worker: WorkerOptions): Promise<void>
  /**
   * Takes a connection that the application accepted, of a worker that is registered with `transport: dialIn({ … })`, or that `admit` takes.
   * It has ten seconds to say hello; then it must prove who it is, and serve what it is registered for (HO2, SE7). Never rejects: a worker
   * that is refused was told why, its connection is closed, and the outcome says so too. A second connection of a worker takes the place
   * of the first.
   */
  attach(connection: WorkerConnection, options?: AttachOptions): Promise<AttachOutcome>
  /** Gives a worker no more leases; it retires when its last has ended, or after `graceMs` with what is left released (WO1). */
  drain(workerId: string, options?: { readonly graceMs?: number }): Promise<void>
  /** Calls back at every event of a name, live (EV3). Gives a function that stops it. */
  on<Name extends FleetEventName>(name: Name, listener: FleetListener<Name>): () => void
  /** The next event of a name. */
  once<Name extends FleetEventName>(name: Name): Promise<FleetEventOf<Name>>
  off<Name extends FleetEventName>(name: Name, listener: FleetListener<Name>): void
  /** All events, live, bounded: whoever is too slow gets a `gap` that tells where to replay from (EV3). */
  events(options?: { readonly signal?: AbortSignal }): AsyncIterable<FleetEvent | GapEvent>
  /** Messages of workers that came too late or twice since this fleet was created; they moved nothing (EV5). */
  readonly lateMessages: number
  /** The counters over all runs of the store (RU7). */
  summary(): Promise<FleetSummary>
  /**
   * What this fleet recorded so far, for `openRecording` of `flotilla/testing`. Rejects `invalid_option` when it was not created with
   * `record: true`.
   */
  recording(): Promise<Uint8Array>
  /**
   * Closes: no new leases, running attempts get `graceMs` (default 10 s), what is left is released to be leased again (LE8), all is
   * flushed. Twice is safe; closing again with `graceMs: 0` ends the grace of the first at once.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

/** What a fleet is made of. */
export interface FleetParts {
  readonly engine: Engine
  readonly bus: Bus
  readonly calls: FleetCalls
  readonly host: HostPorts
  /** What readers read. */
  readonly store: Store
  readonly warnings: readonly string[]
  /** Aborts when the fleet is closed. */
  readonly closed: AbortSignal
  readonly recording: () => Promise<Uint8Array>
}

export function createFleetFacade(parts: FleetParts): Fleet {
  const { engine, bus, calls, store } = parts
  const source = sourceOf(parts)
  const door = createWorkerDoor(engine, {
    clock: parts.host.clock,
    closed: parts.closed,
    add: (worker) => calls.addWorker(workerPlan(worker, parts.host)),
  })

  function handle(id: string, created: boolean, warnings: readonly string[] = []): Run {
    return createRunHandle(calls, createRunReader(source, id), { created, warnings })
  }

  async function create(spec: FleetRunSpecInput, start: boolean, options: CreateOptions): Promise<Run> {
    const { id, created, warnings } = await calls.create({ spec, start, options })
    return handle(id, created, warnings)
  }

  return {
    warnings: parts.warnings,
    create: (spec, options = {}) => create(spec, false, options),
    start: (spec, options = {}) => create(spec, true, options),
    async run(id) {
      if ((await store.row({ id })) === undefined) throw unknownRun(id)
      return handle(id, false)
    },
    runs: (query) => store.runs(query),
    workers: () =>
      engine.workers.all().map((worker) => ({
        id: worker.facts.id,
        status: worker.status,
        kind: worker.transport.kind,
        slots: worker.facts.slots,
        busy: engine.core.state.holdings.get(worker.facts.id) ?? 0,
        abandoned: worker.abandoned.size,
        capabilities: worker.facts.capabilities,
      })),
    async addWorker(worker) {
      const plan = workerPlan(worker, parts.host)
      if (engine.workers.get(plan.facts.id) !== undefined) {
        throw new FleetError('invalid_option', `The fleet has a worker with the id ${plan.facts.id}. Choose another id.`)
      }
      await calls.addWorker(plan)
    },
    attach: (connection, options) => door.attach(connection, options),
    drain: (worker, { graceMs } = {}) => calls.drain({ worker, graceMs }),
    on: (name, listener) => bus.on(name, listener),
    once: (name) => bus.once(name),
    off: (name, listener) => bus.off(name, listener),
    events: (options = {}) => bus.events(options),
    get lateMessages() {
      return engine.reports.late
    },
    async summary() {
      const rows = await store.runs()
      let total = noTasks
      for (const row of rows) {
        const counters =
          isEndedRun(row.status) && row.counts !== undefined ? { ...noTasks, ...row.counts } : await countersNow(row.id)
        total = addCounters(total, counters)
      }
      return { ...total, workers: source.workers() }
    },
    recording: parts.recording,
    close: (options = {}) => calls.close(options),
    [Symbol.asyncDispose]: () => calls.close({}),
  }

  async function countersNow(id: string): Promise<typeof noTasks> {
    return source.look(id, (run) => (run === undefined ? noTasks : countersOf(run)))
  }
}

function sourceOf({ engine, store, host, closed }: FleetParts): ReaderSource {
  const { core, workers } = engine
  return {
    store,
    clock: host.clock,
    look: engine.look,
    closed,
    workers: () => Object.fromEntries(workers.all().map((worker) => [worker.facts.id, worker.status])),
    leaseEndsAt(run, task, attempt) {
      const { presence, clock, deadlines } = engine.core
      const held = presence.get(run, task, attempt)
      return held === undefined || held.lingering ? undefined : clock.now() + held.deadline - deadlines.leaseNow()
    },
    considered: () => ({
      workers: workers.all().map((worker) => ({ facts: worker.facts, status: worker.status, free: workers.free(worker) })),
      full: core.state.working >= core.defaults.maxLeases,
      gates: core.state.gates,
      now: core.clock.now(),
    }),
  }
}
