import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { Store } from '../ports/store.ts'
import type { Resting } from '../protocol/steps.ts'
import { entryPages } from './entry-pages.ts'

/** An artifact with the attempt that left it. */
export interface RunArtifact {
  readonly task_id: string
  readonly attempt: number
  readonly artifact: FleetArtifactRef
}

/** What the attempts of a run, or of one task, left behind so far, late arrivals included. */
export async function readArtifacts(
  store: Store,
  run: string,
  taskId: string | undefined,
  clock: Resting,
): Promise<RunArtifact[]> {
  const found: RunArtifact[] = []
  for await (const entries of entryPages(store, run, clock)) {
    for (const { task, attempt, events } of entries) {
      if (task === undefined || (taskId !== undefined && task !== taskId)) continue
      for (const event of events ?? []) {
        if (event.state !== 'artifact') continue
        const { state: _, ...artifact } = event
        found.push({ task_id: task, attempt: attempt ?? 0, artifact })
      }
    }
  }
  return found
}
