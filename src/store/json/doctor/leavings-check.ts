import { join } from 'node:path'
import type { ExaminedStore } from './examined-store.ts'
import type { StoreFinding } from './finding.ts'

/** Temporary files of writers that are gone. */
export async function temporaryFiles({ disk, layout }: Pick<ExaminedStore, 'disk' | 'layout'>): Promise<readonly string[]> {
  const runs = (await disk.list(layout.runs)).map((run) => join(layout.runs, run))
  const folders = [
    layout.root,
    layout.journal,
    layout.shards,
    layout.inbox,
    ...runs.flatMap((run) => [run, join(run, 'snapshot'), join(run, 'blobs')]),
  ]
  const found: string[] = []
  for (const folder of folders)
    found.push(...(await disk.list(folder)).filter((name) => name.endsWith('.tmp')).map((name) => join(folder, name)))
  return found
}

/** What processes that ended left lying about: temporary files, and folders of runs that were removed. */
export async function checkLeavings(store: ExaminedStore): Promise<readonly StoreFinding[]> {
  const { disk, layout, heads, owner } = store
  const note = (message: string, file: string): StoreFinding => ({ part: 'leavings', weight: 'note', message, file })
  // While an owner lives, they may be its own.
  const temporary = owner !== undefined && owner.alive !== false ? [] : await temporaryFiles(store)
  const folders = await disk.list(layout.runs)
  const removed = folders.filter((run) => heads.removed(run))
  const unknown = folders.filter((run) => heads.get(run) === undefined)
  return [
    ...temporary.map((file) => note('A temporary file was left.', file)),
    ...removed.map((run) => note(`The folder of run ${run} is there, although the run was removed.`, join(layout.runs, run))),
    ...unknown.map((run) => note(`A folder belongs to no run of the journal.`, join(layout.runs, run))),
  ]
}
