import type { Core } from './core.ts'
import { snapshotSource } from './snapshot.ts'
import { isEndedRun } from './state.ts'
import type { RunState } from './state.ts'

/** Takes snapshots while runs go on, one at a time, so that opening a store reads few entries (ST7). */
export interface Snapshots {
  /** Takes one when enough entries came since the last. */
  consider(run: RunState): void
  isTaking(run: string): boolean
  /** Takes what is worth taking before the fleet is closed, after what is under way. */
  close(): Promise<void>
}

export function createSnapshots(
  core: Core,
  hooks: {
    /** Whether all that was decided so far is durable, once that is known. */
    readonly durable: () => Promise<boolean>
    /** One was taken, or failed. */
    readonly taken: (run: string) => void
  },
): Snapshots {
  const { state, store, defaults } = core
  const waiting = new Map<string, RunState>()
  let working: Promise<void> | undefined

  async function work(): Promise<void> {
    for (const [id, run] of waiting) {
      await take(id, run)
      waiting.delete(id)
      hooks.taken(id)
    }
    working = undefined
  }

  /** A snapshot only makes the next opening faster; a disk that cannot take it loses nothing, and is asked again later. */
  async function take(id: string, run: RunState): Promise<void> {
    const from = run.seq
    await store
      .saveSnapshot(
        id,
        snapshotSource(run, () => through(id, run)),
      )
      .catch(() => undefined)
    run.snapshotSeq = from
  }

  /** A run that was read again meanwhile had a state that is discarded, and the snapshot saw some of it. */
  async function through(id: string, run: RunState): Promise<number | undefined> {
    const seen = run.seq
    return (await hooks.durable()) && state.runs.get(id) === run ? seen : undefined
  }

  function begin(run: RunState): void {
    waiting.set(run.header.id, run)
    working ??= work()
  }

  function isDue(run: RunState): boolean {
    // The larger the run, the more of it every snapshot writes again.
    const every = isEndedRun(run.status) ? defaults.snapshotAtEndAfter : Math.max(defaults.snapshotAfter, run.tasks.size / 4)
    return run.opened && run.seq - run.snapshotSeq >= every
  }

  return {
    consider(run) {
      if (isDue(run)) begin(run)
    },
    isTaking: (run) => waiting.has(run),
    async close() {
      await working
      for (const run of state.runs.values()) if (run.seq - run.snapshotSeq >= defaults.snapshotAtEndAfter) begin(run)
      await working
    },
  }
}
