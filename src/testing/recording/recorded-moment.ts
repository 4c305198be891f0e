import type { Entry } from '../../engine/entry.ts'
import { fleetStream, fold } from '../../engine/fold.ts'
import { rowOf } from '../../engine/row.ts'
import { createFleetState } from '../../engine/state.ts'
import { createRunReader, storeSource } from '../../fleet/run-reader.ts'
import type { RunReader } from '../../fleet/run-reader.ts'
import { seededIds } from '../../host/seeded-ids.ts'
import type { RunRow, Store } from '../../ports/store.ts'
import { createMemoryStore } from '../../store/memory.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import type { JournalLine } from './recording-lines.ts'

/** Everything as it was durable at one step. */
export interface RecordedMoment {
  /** The step's number; 0 is before the first. */
  readonly step: number
  /** A run, as a test reads it: for `assertRun`, for `timeline`. Its methods reject `unknown_run` for one that was not there yet. */
  run(id: string): RunReader
  /** The runs that were there, newest first. */
  runs(): Promise<readonly RunRow[]>
}

/** Puts durable entries into a store of their own, which readers read. */
export async function momentOf(step: number, at: number, lines: readonly JournalLine[]): Promise<RecordedMoment> {
  const clock = createVirtualClock(at)
  const store = createMemoryStore({ clock, ids: seededIds('recording'), keepEndedRuns: Infinity })
  await store.open({ instance: 'recording' })
  await fill(store, lines)
  // Nothing more will come: whoever waits for it is told.
  const source = { ...storeSource(store, clock), closed: AbortSignal.abort() }
  return { step, run: (id) => createRunReader(source, id), runs: () => store.runs() }
}

async function fill(store: Store, lines: readonly JournalLine[]): Promise<void> {
  const byRun = new Map<string, JournalLine['entry'][]>()
  for (const { run, entry } of lines) {
    const entries = byRun.get(run)
    if (entries === undefined) byRun.set(run, [entry])
    else entries.push(entry)
  }
  const state = createFleetState()
  for (const [run, entries] of byRun) {
    // An entry is what a fleet stored.
    for (const entry of entries) fold(state, run, entry as unknown as Entry)
    const row = run === fleetStream ? undefined : rowOf(state.runs.get(run))
    await store.append([{ run, after: 0, entries, ...(row !== undefined && { row }) }])
  }
}
