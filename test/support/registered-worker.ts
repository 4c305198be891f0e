import type { WorkerFacts } from '../../src/engine/worker-facts.ts'
import type { Worker } from '../../src/engine/workers.ts'
import type { Transport } from '../../src/ports/transport.ts'
import { createTestTransport } from './test-transport.ts'

/** What is known of a worker of this computer that takes plain tasks, one at a time. */
export function workerFacts(id: string, more: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    ...{ id, serves: { handlers: [], commands: false, plain: true }, capabilities: [], roles: [], host: 'local' },
    ...{ verified: true, trust: 'local', checks: undefined, runsUnenforced: false, slots: 1 },
    enforces: { network: false, fileWrites: false, environment: false, processes: false },
    ...more,
  }
}

/** Such a worker, as it is before it was started. */
export function registeredWorker(
  id: string,
  {
    facts,
    transport = createTestTransport(),
    ...more
  }: Partial<Omit<Worker, 'facts'>> & {
    readonly facts?: Partial<WorkerFacts>
    readonly transport?: Transport
  } = {},
): Worker {
  return {
    ...{ facts: workerFacts(id, facts), transport, incarnation: `${id}-1`, status: 'unknown', channel: undefined },
    ...{ failures: 0, abandoned: new Set(), draining: false, resting: false },
    ...more,
  }
}
