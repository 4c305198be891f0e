import { writeCursor } from './cursor.ts'
import type { Entry } from './entry.ts'
import { placesOf } from './project.ts'
import type { ProjectedRun } from './project.ts'
import type { RunState } from './state.ts'

/** The cursors of what has no entry of its own: each is that of the run's last event that is durable (EV1). */
export interface LiveCursors {
  /** An entry of the run is durable. */
  note(run: RunState, entry: Entry): void
  of(run: RunState): string
}

export function createLiveCursors(): LiveCursors {
  const lastDurable = new WeakMap<RunState, Entry>()
  return {
    note: (run, entry) => void lastDurable.set(run, entry),
    of(run) {
      const last = lastDurable.get(run)
      const events = last === undefined ? 0 : placesOf(last)
      return writeCursor({ short: run.header.short, seq: last?.seq ?? run.seq, index: Math.max(0, events - 1) })
    },
  }
}

/** The facts of a run that its events need. */
export function projected(run: RunState): ProjectedRun {
  return { id: run.header.id, short: run.header.short, name: run.header.name }
}
