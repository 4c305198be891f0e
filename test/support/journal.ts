import type { Entry } from '../../src/engine/entry.ts'
import type { Run } from '../../src/fleet/run-handle.ts'
import type { FleetEvent } from '../../src/protocol/fleet-event.ts'
import type { AppendFate } from '../../src/store/memory-commit.ts'
import type { MemoryStore } from '../../src/store/memory.ts'

/** Every durable entry of a run. */
export async function journalOf(store: MemoryStore, run: string): Promise<Entry[]> {
  return (await store.read(run, { from: 1, limit: 100_000 })) as unknown as Entry[]
}

/** Every event of a run so far, as a replay from the first cursor on gives them. */
export async function eventsOf(run: Run): Promise<FleetEvent[]> {
  const { events: newest, history_truncated } = await run.replay({ limit: 1000 })
  if (history_truncated) throw new Error('The run has more events than one page holds.')
  return [...newest]
}

/** The payload states that workers, or the fleet for them, reported of a task, in order. */
export async function statesOf(run: Run, task: string): Promise<string[]> {
  const events = await eventsOf(run)
  return events
    .filter((event) => event.task_id === task && event.event.startsWith('worker.'))
    .map((event) => event.event.slice(7))
}

/** Decides what becomes of appends while a test runs: `next` fates first, then `otherwise`; `hold` keeps groups back until `go`. */
export interface Appends {
  readonly beforeAppend: () => Promise<AppendFate>
  next: AppendFate[]
  otherwise: AppendFate
  hold(): void
  /** Lets the oldest held group go; the ones after it are held on. */
  goOne(): void
  go(): void
  /** Groups that were asked about so far. */
  readonly asked: number
}

export function controlledAppends(): Appends {
  const waiting: (() => void)[] = []
  let held = false
  let asked = 0
  return {
    next: [],
    otherwise: 'store',
    get asked() {
      return asked
    },
    async beforeAppend() {
      asked += 1
      if (held) await new Promise<void>((resolve) => waiting.push(resolve))
      return this.next.shift() ?? this.otherwise
    },
    hold() {
      held = true
    },
    goOne() {
      waiting.shift()?.()
    },
    go() {
      held = false
      for (const resolve of waiting.splice(0)) resolve()
    },
  }
}
