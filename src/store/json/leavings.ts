import type { Disk } from './disk.ts'
import type { InboxParts } from './inbox.ts'
import { sweepAnswers } from './inbox.ts'
import type { Layout } from './layout.ts'

/** Deletes the folder of a removed run. Where that fails the run is gone all the same, and the next opening tries again. */
export async function clearRun(disk: Disk, layout: Layout, run: string): Promise<void> {
  await disk.removeFolder(layout.run(run)).catch(() => undefined)
}

/** Puts away what earlier owners left behind. */
export async function sweepLeavings(inbox: InboxParts, layout: Layout, isRemoved: (run: string) => boolean): Promise<void> {
  const { disk } = inbox
  await disk.makeFolder(inbox.folder)
  await sweepAnswers(inbox).catch(() => undefined)
  for (const run of await disk.list(layout.runs)) if (isRemoved(run)) await clearRun(disk, layout, run)
}
