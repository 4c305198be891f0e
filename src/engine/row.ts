import type { RunRow } from '../ports/store.ts'
import { isEndedRun } from './state.ts'
import type { RunState } from './state.ts'
import { countersOf } from './views.ts'

/** What the index keeps of a run: nothing, before it is opened (RU1). */
export function rowOf(run: RunState | undefined): RunRow | undefined {
  if (run?.opened !== true) return undefined
  const { header } = run
  return {
    id: header.id,
    name: header.name,
    status: run.status,
    ...(header.key !== undefined && { key: header.key, digest: header.digest }),
    tasks: run.tasks.size,
    ...(isEndedRun(run.status) && { counts: countersOf(run) }),
    createdAt: header.createdAt,
    updatedAt: run.updatedAt,
    ...(run.unsettled > 0 && { unsettled: run.unsettled }),
    ...(run.completedAt !== null && { completedAt: run.completedAt }),
  }
}
