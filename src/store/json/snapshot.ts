import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Low } from 'lowdb'
import type { Snapshot, SnapshotRecord, SnapshotSource } from '../../ports/store.ts'
import type { Disk } from './disk.ts'
import { DocumentAdapter } from './document-adapter.ts'

/** What `snapshot.json` says: these shards, in this order, with the entries after `seq`, are the run's state. */
interface Manifest {
  readonly seq: number
  /** No record is newer; a journal that ends before it is not the one that this was taken of. */
  readonly through: number
  readonly shards: readonly { readonly seq: number; readonly file: string }[]
}

interface Shard {
  readonly records: readonly SnapshotRecord[]
}

/**
 * Saves a run's snapshot shard by shard; one that did not change is not written again. The manifest goes last: a power loss leaves the
 * snapshot before, or this one.
 */
export async function saveSnapshot(disk: Disk, folder: string, source: SnapshotSource, unique: () => string): Promise<void> {
  const shardFolder = join(folder, 'snapshot')
  await disk.makeFolder(shardFolder)
  const known = new Set(await disk.list(shardFolder))
  const before = await manifestAdapter(disk, folder, unique).read()
  const shards: Manifest['shards'][number][] = []
  for (const { seq, records } of source.shards) {
    const same = before?.shards[shards.length]
    if (same?.seq === seq && known.has(same.file)) {
      shards.push(same)
      continue
    }
    const shard: Shard = { records: records() }
    const file = `${createHash('sha256').update(JSON.stringify(shard)).digest('hex').slice(0, 32)}.json`
    shards.push({ seq, file })
    if (!known.has(file)) await document<Shard>(disk, join(shardFolder, file), 'snapshot-shard', unique, shard).write()
  }
  const through = await source.through()
  if (through !== undefined)
    await document<Manifest>(disk, join(folder, 'snapshot.json'), 'snapshot', unique, {
      seq: source.seq,
      through,
      shards,
    }).write()
  const kept = new Set((through === undefined ? before?.shards : shards)?.map(({ file }) => file))
  for (const name of await disk.list(shardFolder)) if (!kept.has(name)) await disk.remove(join(shardFolder, name))
}

/** The snapshot of a run whose last entry is `last`; undefined when there is none, or not a whole one: then its entries say it all. */
export async function loadSnapshot(disk: Disk, folder: string, last: number): Promise<Snapshot | undefined> {
  const manifest = await manifestAdapter(disk, folder, () => '').read()
  if (manifest === null || manifest.through > last) return undefined
  const records: SnapshotRecord[] = []
  for (const { file } of manifest.shards) {
    const shard = await new DocumentAdapter<Shard>(disk, join(folder, 'snapshot', file), 'snapshot-shard', () => '').read()
    if (shard === null) return undefined
    for (const record of shard.records) records.push(record)
  }
  return { seq: manifest.seq, records }
}

function manifestAdapter(disk: Disk, folder: string, unique: () => string): DocumentAdapter<Manifest> {
  return new DocumentAdapter<Manifest>(disk, join(folder, 'snapshot.json'), 'snapshot', unique)
}

function document<T>(disk: Disk, path: string, kind: string, unique: () => string, data: T): Low<T> {
  return new Low<T>(new DocumentAdapter<T>(disk, path, kind, unique), data)
}
