import { createFleet } from '../../src/fleet/create-fleet.ts'
import type { FleetOptions } from '../../src/fleet/options.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import type { FleetEvent } from '../../src/protocol/fleet-event.ts'
import { seededIds } from '../../src/host/seeded-ids.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { MemoryStore, MemoryStoreParts } from '../../src/store/memory.ts'
import { memoryFiles } from '../../src/testing/memory-files.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import type { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { createTestTransport } from './test-transport.ts'
import type { TestTransport } from './test-transport.ts'

/** A fleet on a virtual clock with seeded ids, a memory store, and one worker `w1` that the test plays. */
export interface BenchFleet {
  readonly fleet: Fleet
  readonly clock: VirtualClock
  readonly store: MemoryStore
  readonly transport: TestTransport
  /** Every live event so far. */
  readonly heard: FleetEvent[]
  /** Names of the heard events of a task, in order. */
  names(task?: string): string[]
}

export async function openBench(
  options: Omit<FleetOptions, 'store' | 'clock'> & {
    readonly store?: MemoryStore
    readonly clock?: VirtualClock
    readonly transport?: TestTransport
    readonly slots?: number
    readonly storeParts?: Partial<MemoryStoreParts>
    readonly seed?: string
  } = {},
): Promise<BenchFleet> {
  const { store: given, clock: givenClock, transport: givenTransport, slots, storeParts, seed = 'bench', ...rest } = options
  const clock = givenClock ?? createVirtualClock()
  const ids = seededIds(seed)
  const store = given ?? createMemoryStore({ clock, ids, ...storeParts })
  const transport = givenTransport ?? createTestTransport()
  const workers = rest.workers ?? (rest.handlers === undefined ? [{ id: 'w1', transport, slots: slots ?? 1 }] : [])
  const fleet = await createFleet({
    files: memoryFiles(),
    ...rest,
    store,
    clock,
    ids,
    workers,
    ...(slots !== undefined && { slots }),
  })
  const heard: FleetEvent[] = []
  void (async () => {
    for await (const event of fleet.events()) if (event.event !== 'gap') heard.push(event)
  })()
  await clock.settle()
  return {
    fleet,
    clock,
    store,
    transport,
    heard,
    names: (task) => heard.filter((event) => task === undefined || event.task_id === task).map((event) => event.event),
  }
}

/** A task that any plain worker takes. */
export function task(id: string, more: Record<string, unknown> = {}): { id: string; name: string; instructions: string } {
  return { id, name: id, instructions: `Do ${id}.`, ...more }
}
