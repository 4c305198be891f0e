import type { Engine } from '../engine/engine.ts'
import type { Bus } from '../observability/bus.ts'
import type { RunRow } from '../ports/store.ts'

/** Which ended runs a fleet keeps; what is over is deleted with all it left (RU8). Unset means without limit. */
export interface Retention {
  /** How many ended runs, those that ended last. */
  readonly endedRuns?: number
  /** How long after its end a run is kept, milliseconds; looked at when a fleet opens and whenever a run ends. */
  readonly maxAgeMs?: number
}

/** Deletes what is over, now and after each end of a run, one sweep at a time. */
export function keepRetention(engine: Engine, bus: Bus, retention: Retention): { close(): Promise<void> } {
  let sweeping = sweep(engine, retention)
  const off = bus.on('run.status_changed', ({ payload }) => {
    if (payload.status !== 'completed' && payload.status !== 'failed' && payload.status !== 'cancelled') return
    sweeping = sweeping.then(() => sweep(engine, retention))
  })
  return {
    async close() {
      off()
      await sweeping
    },
  }
}

/** A run that cannot be deleted now, because its attempts are still being stopped or its alerts delivered, is met again by a later sweep. */
async function sweep(engine: Engine, retention: Retention): Promise<void> {
  const rows = await engine.core.store.runs({ status: ['completed', 'failed', 'cancelled'] }).catch((): readonly RunRow[] => [])
  for (const row of overdue(rows, retention, engine.core.clock.now())) {
    if (engine.core.presence.ofRun(row.id) > 0 || (row.unsettled ?? 0) > 0) continue
    await engine.drop(row.id).catch(() => undefined)
  }
}

/** The rows that retention gives up, those that ended first at first. */
function overdue(rows: readonly RunRow[], { endedRuns = Infinity, maxAgeMs = Infinity }: Retention, now: number): RunRow[] {
  const byEnd = [...rows].sort((a, b) => (b.completedAt ?? 0) - (a.completedAt ?? 0))
  return byEnd.filter((row, index) => index >= endedRuns || now - (row.completedAt ?? now) > maxAgeMs).reverse()
}
