import { isDeepStrictEqual } from 'node:util'
import { DocumentAdapter } from '../document-adapter.ts'
import type { IndexDocument } from '../index-document.ts'
import { JournalReader } from '../journal-reader.ts'
import type { RunHead } from '../run-heads.ts'
import type { ExaminedStore } from './examined-store.ts'
import type { StoreFinding } from './finding.ts'

/** Whether the index says what the journal says. It can be made again, so nothing is lost with it. */
export async function checkIndex(store: ExaminedStore, index: IndexDocument): Promise<readonly StoreFinding[]> {
  const { disk, layout, chain, host } = store
  const finding = (weight: StoreFinding['weight'], message: string): StoreFinding => ({
    part: 'index',
    weight,
    message,
    file: layout.index,
  })
  if (chain.links.length === 0) return []
  if (!disk.exists(layout.index)) return [finding('note', 'There is no index; it is made again when the store is opened.')]
  if ((await new DocumentAdapter(disk, layout.index, 'index', () => '').read()) === null)
    return [finding('wrong', 'The index does not read as it was written.')]
  const loaded = await index.load(chain)
  if (loaded === undefined)
    return [finding('wrong', 'The index is not one of this journal, or is older than what is left of it.')]
  for (const ref of loaded.heads.shards.refs)
    if ((await index.shard(ref)) === undefined)
      return [finding('wrong', `The shard ${ref.file} of the index does not read as it was written.`)]
  const reader = new JournalReader(disk, layout.journal, host, index)
  await reader.refresh()
  await reader.load(() => false)
  const runs = new Set([...reader.heads.all(), ...store.heads.all()].map(({ run }) => run))
  const different = [...runs].filter((run) => {
    const [one, other] = [reader.heads.get(run), store.heads.get(run)]
    // An owner that lives may have written between the two readings.
    const mayDiffer = store.owner !== undefined && store.owner.alive !== false && one?.seq !== other?.seq
    return !mayDiffer && !isDeepStrictEqual(said(one), said(other))
  })
  return different.map((run) => ({ ...finding('wrong', `The index does not say of run ${run} what the journal says.`), run }))
}

/** What must be the same, however it was read. */
function said(head: RunHead | undefined): unknown {
  if (head === undefined || head.removed === true) return head?.removed
  return { seq: head.seq, hash: head.hash, row: head.row, isBroken: head.damage !== undefined }
}
