import { hash } from 'node:crypto'
import { join } from 'node:path'
import { entriesOf } from '../entry-records.ts'
import type { ExaminedStore } from './examined-store.ts'
import type { StoreFinding } from './finding.ts'
import { walkJournal } from './journal-walk.ts'

/** Whether blobs hold what they are named by, are there when an entry names them, and are named by one. */
export async function checkBlobs(store: ExaminedStore): Promise<readonly StoreFinding[]> {
  const { disk, layout, heads } = store
  const named = await blobsNamed(store)
  const findings: StoreFinding[] = []
  const runs = new Set([...(await disk.list(layout.runs)), ...named.keys()])
  for (const run of runs) {
    if (heads.seq(run) === 0 || heads.removed(run)) continue
    const folder = join(layout.run(run), 'blobs')
    const refs = named.get(run) ?? new Map<string, boolean>()
    const there = (await disk.list(folder)).filter((name) => !name.endsWith('.tmp'))
    const found = (weight: StoreFinding['weight'], message: string, name: string): void =>
      void findings.push({ part: 'blobs', weight, message, run, file: join(folder, name) })
    for (const name of there) {
      if (hash('sha256', await disk.read(join(folder, name))) !== name)
        found('lost', 'A blob does not hold what it is named by.', name)
      else if (!refs.has(name)) found('note', 'A blob is named by no entry.', name)
    }
    for (const [name, isKept] of refs)
      if (isKept && !there.includes(name)) found('lost', 'A blob that an entry names is missing.', name)
  }
  return findings
}

/** By run: the blobs that its entries name, and whether they must be there. */
async function blobsNamed({ disk, layout, chain, blobsOf }: ExaminedStore): Promise<Map<string, Map<string, boolean>>> {
  const named = new Map<string, Map<string, boolean>>()
  for await (const { items } of walkJournal(disk, layout.journal, chain)) {
    for (const line of items.flatMap((item) => (item.kind === 'batch' ? item.lines : []))) {
      for (const { sha256, isKept } of entriesOf(line).flatMap(blobsOf)) {
        const refs = named.get(line.run) ?? new Map<string, boolean>()
        named.set(line.run, refs.set(sha256, isKept || refs.get(sha256) === true))
      }
    }
  }
  return named
}
