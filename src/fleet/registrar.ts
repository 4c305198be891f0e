import type { Engine } from '../engine/engine.ts'
import { just } from '../engine/entry.ts'
import { recordIncarnation } from '../engine/incarnation.ts'
import type { Worker } from '../engine/workers.ts'
import type { Transport } from '../ports/transport.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetWorkerSpec } from '../protocol/worker.ts'
import { workerOfSpec } from './spec-workers.ts'
import type { HostPorts, WorkerPlan } from './workers-of.ts'

/** Registers workers and brings them up (WO1). */
export interface Registrar {
  add(plan: WorkerPlan): void
  /** Registers a worker that a run names; one of the same id and the same facts is shared. Rejects `invalid_document` otherwise. */
  addFromFile(spec: FleetWorkerSpec): void
  /** Resolves when every worker has come up, or failed its first start. */
  ready(): Promise<void>
  drain(id: string, graceMs: number | undefined): Promise<void>
}

/** `via`: the way that every transport goes. */
export function createRegistrar(engine: Engine, host: HostPorts, via: (transport: Transport) => Transport): Registrar {
  const starting = new Set<Promise<void>>()
  const specs = new Map<string, string>()

  function add({ facts, transport }: WorkerPlan): void {
    const known = engine.core.state.workers.get(facts.id)
    const worker: Worker = {
      facts,
      transport: via(transport),
      incarnation: engine.core.ids.next('inc'),
      status: 'unknown',
      channel: undefined,
      failures: 0,
      abandoned: new Set(),
      // A drain outlives the fleet that heard of it; a worker that was retired is registered anew (WO1).
      draining: known?.draining === true && !known.retired,
      resting: false,
    }
    engine.workers.add(worker)
    recordIncarnation(engine.core, worker)
    const started = engine.host.start(worker).finally(() => starting.delete(started))
    starting.add(started)
  }

  return {
    add,
    addFromFile(spec) {
      const text = JSON.stringify(spec)
      const known = specs.get(spec.id)
      if (known === text) return
      if (known !== undefined || engine.workers.get(spec.id) !== undefined) {
        throw new FleetError(
          'invalid_document',
          `worker_specs: the fleet has another worker with the id ${spec.id}. Choose another id.`,
        )
      }
      specs.set(spec.id, text)
      add(workerOfSpec(spec, host))
    },
    async ready() {
      while (starting.size > 0) await Promise.all(starting)
    },
    async drain(id, graceMs) {
      const worker = engine.workers.get(id)
      if (worker === undefined) throw new FleetError('unknown_worker', `No worker ${id} is registered.`)
      worker.draining = true
      const record = { id, incarnation: worker.incarnation, draining: true, retired: false }
      await engine.command(() => just({ on: 'fleet', kind: 'worker.drained', record }))
      await engine.drain(worker, graceMs)
    },
  }
}
