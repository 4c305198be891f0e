import { join } from 'node:path'
import type { Snapshots } from '../snapshot.ts'
import type { ExaminedStore } from './examined-store.ts'
import type { StoreFinding } from './finding.ts'

/** Whether each run's snapshot is whole and fits the journal. It can be taken again, so nothing is lost with it. */
export async function checkSnapshots(
  { disk, layout, heads }: ExaminedStore,
  snapshots: Snapshots,
): Promise<readonly StoreFinding[]> {
  const findings: StoreFinding[] = []
  for (const run of await disk.list(layout.runs)) {
    const file = join(layout.run(run), 'snapshot.json')
    if (heads.seq(run) === 0 || heads.removed(run) || !disk.exists(file)) continue
    if ((await snapshots.load(run)) === undefined)
      findings.push({
        part: 'snapshots',
        weight: 'wrong',
        message: `The snapshot of ${run} is not whole, or not of this journal.`,
        run,
        file,
      })
  }
  return findings
}
