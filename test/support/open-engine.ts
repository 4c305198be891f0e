import type { EnginePorts } from '../../src/engine/core.ts'
import { createRun } from '../../src/engine/commands/run.ts'
import { engineDefaults } from '../../src/engine/defaults.ts'
import { createEngine } from '../../src/engine/engine.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { Worker } from '../../src/engine/workers.ts'
import { seededIds } from '../../src/host/seeded-ids.ts'
import type { FleetEvent } from '../../src/protocol/fleet-event.ts'
import { FleetTaskSpec } from '../../src/protocol/task.ts'
import { createSecretsInUse } from '../../src/security/secrets-in-use.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { MemoryStore, MemoryStoreParts } from '../../src/store/memory.ts'
import { memoryFiles } from '../../src/testing/memory-files.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import type { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { task } from './bench-fleet.ts'
import type { Specs } from './decided-run.ts'
import { registeredWorker } from './registered-worker.ts'
import { scorersOf } from './scored-attempt.ts'
import { createTestTransport } from './test-transport.ts'
import type { TestTransport } from './test-transport.ts'

/** An engine on a store in memory, with one worker `w1` that the test plays; it leases only once that is switched on. */
export interface OpenEngine {
  readonly engine: Engine
  readonly clock: VirtualClock
  readonly store: MemoryStore
  readonly transport: TestTransport
  readonly worker: Worker
  readonly heard: FleetEvent[]
  /** Whether the last timer that was set keeps the process alive. */
  keepsAlive(): boolean | undefined
  /** Creates a run of such tasks, started unless it is to be `pending`. */
  create(id: string, specs: Specs, how?: { readonly pending?: true; readonly open?: true }): Promise<void>
}

export async function openEngine(
  options: Partial<EnginePorts> & {
    readonly storeParts?: Partial<MemoryStoreParts>
    readonly worker?: Parameters<typeof registeredWorker>[1]
  } = {},
): Promise<OpenEngine> {
  const { storeParts, worker: more, ...ports } = options
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock, ids: seededIds('store'), ...storeParts })
  const opening = await store.open({ instance: 'test' })
  const transport = createTestTransport()
  const worker = registeredWorker('w1', { transport, ...more })
  const heard: FleetEvent[] = []
  const alarms: (boolean | undefined)[] = []
  const engine = createEngine(
    {
      ...{ store, shown: store, ids: seededIds('engine'), scorers: scorersOf({ files: memoryFiles() }), alertSinks: {} as never },
      clock: {
        ...clock,
        alarm(ms, act, how) {
          alarms.push(how.keepAlive)
          return clock.alarm(ms, act, how)
        },
      },
      collector: {
        log: () => Promise.resolve(),
        collect: () => Promise.reject(new Error('No artifact was expected.')),
        finish: () => Promise.resolve(undefined),
      },
      workspaces: { prepare: () => ({ root: '/w', environment: {} }) },
      secrets: { unresolvable: () => undefined, resolve: () => Promise.resolve({ values: {} }) },
      ...{ inUse: createSecretsInUse(), folderOf: () => '/folder', defaults: engineDefaults, concurrency: {} },
      ...{ announce: (event) => void heard.push(event), hasListeners: () => true, isListenedTo: () => true },
      ...ports,
    },
    () => opening.storeId,
  )
  engine.workers.add(worker)
  void engine.host.start(worker)
  await clock.settle()
  return {
    ...{ engine, clock, store, transport, worker, heard, keepsAlive: () => alarms.at(-1) },
    async create(id, specs, { pending, open = false } = {}) {
      const tasks = Object.entries(specs).map(([name, spec]) => FleetTaskSpec.parse(task(name, spec)))
      const header = {
        ...{ id, name: id, short: id, labels: {}, worker_specs: [], open, workspace: '/w', createdAt: clock.now() },
      }
      await engine.command((context) => createRun(context, header, tasks, pending !== true))
      await clock.settle()
    },
  }
}
