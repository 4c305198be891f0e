import type { FleetRunStatus } from '../protocol/run.ts'
import type { RunRow } from '../ports/store.ts'

const ended: ReadonlySet<FleetRunStatus> = new Set<FleetRunStatus>(['completed', 'failed', 'cancelled'])

/** Whether a run needs nobody any more: it has ended, and nothing of it is unsettled. A run without a row has not ended. */
export function hasEnded(row: Pick<RunRow, 'status' | 'unsettled'> | undefined): boolean {
  return row !== undefined && ended.has(row.status) && (row.unsettled ?? 0) === 0
}

/** What the owner of a row does with it later changes nothing of its copy. `structuredClone` takes longer than making its text. */
export function copyRow(row: RunRow): RunRow {
  return row.counts === undefined ? { ...row } : { ...row, counts: { ...row.counts } }
}

/** Rows that match, newest first; of equal age, the one that came last in `rows` first. */
export function listRows(
  rows: Iterable<RunRow>,
  query: { readonly status?: readonly FleetRunStatus[]; readonly limit?: number } = {},
): readonly RunRow[] {
  const matching = [...rows].filter((row) => query.status === undefined || query.status.includes(row.status))
  return matching
    .reverse()
    .toSorted((a, b) => b.createdAt - a.createdAt)
    .slice(0, query.limit ?? matching.length)
}
