import { reservedId } from '../../protocol/ids.ts'
import type { RunClaim, Store } from '../../ports/store.ts'
import { hasEnded } from '../row-list.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { RunHeads } from './run-heads.ts'

/** What being the writer holds. */
export interface Ownership {
  readonly writer: JournalWriter
  readonly epoch: number
  /** Runs granted to this owner, or created by it. */
  readonly granted: Set<string>
  /** Posted commands that were handed out. */
  readonly taken: Set<string>
  /** Aborts when a newer epoch was found. */
  readonly lost: AbortController
  /** Aborts at the end, however it comes. */
  readonly ended: AbortController
}

/** Grants the runs that have not ended, each once, and the reserved stream. Runs of the index's shards have ended. */
export async function* grantRuns(
  { granted, epoch, lost, ended }: Ownership,
  heads: RunHeads,
  { runs, signal }: Parameters<Store['claim']>[0],
): AsyncGenerator<RunClaim> {
  const open = [...heads.all()].filter(({ seq, row, removed }) => seq > 0 && removed !== true && !hasEnded(row))
  const wanted = open.map(({ run }) => run).filter((run) => run !== reservedId && (runs === undefined || runs.includes(run)))
  for (const run of [reservedId, ...wanted]) {
    if (signal?.aborted === true || ended.signal.aborted) return
    if (granted.has(run)) continue
    granted.add(run)
    const release = () => Promise.resolve(void granted.delete(run))
    yield { run, epoch, lost: lost.signal, release }
  }
}
