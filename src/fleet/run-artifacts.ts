import type { Entry } from '../engine/entry.ts'
import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { Store } from '../ports/store.ts'

/** An artifact with the attempt that left it. */
export interface RunArtifact {
  readonly task_id: string
  readonly attempt: number
  readonly artifact: FleetArtifactRef
}

const page = 1_000

/** What the attempts of a run, or of one task, left behind so far, late arrivals included. */
export async function readArtifacts(store: Store, run: string, taskId: string | undefined): Promise<RunArtifact[]> {
  const found: RunArtifact[] = []
  for (let from = 1; ; from += page) {
    const entries = (await store.read(run, { from, limit: page })) as unknown as Entry[]
    for (const { task, attempt, events } of entries) {
      if (task === undefined || (taskId !== undefined && task !== taskId)) continue
      for (const event of events ?? []) {
        if (event.state !== 'artifact') continue
        const { state: _, ...artifact } = event
        found.push({ task_id: task, attempt: attempt ?? 0, artifact })
      }
    }
    if (entries.length < page) return found
  }
}
