import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Low } from 'lowdb'
import type { Snapshot, SnapshotRecord } from '../../ports/store.ts'
import type { Disk } from './disk.ts'
import { DocumentAdapter } from './document-adapter.ts'

/** What `snapshot.json` says: the state after entry `seq` is what these shards hold, in this order. */
interface Manifest {
  readonly seq: number
  readonly shards: readonly string[]
}

interface Shard {
  readonly records: readonly SnapshotRecord[]
}

const recordsPerShard = 500

/**
 * Saves a run's snapshot in shards that are named by their content, so that a shard without changes is not written again. The
 * manifest goes last: a power loss leaves the snapshot before, or this one.
 */
export async function saveSnapshot(disk: Disk, folder: string, snapshot: Snapshot, unique: () => string): Promise<void> {
  const shardFolder = join(folder, 'snapshot')
  await disk.makeFolder(shardFolder)
  const known = new Set(await disk.list(shardFolder))
  const shards: string[] = []
  for (let start = 0; start < snapshot.records.length; start += recordsPerShard) {
    const shard: Shard = { records: snapshot.records.slice(start, start + recordsPerShard) }
    const name = `${createHash('sha256').update(JSON.stringify(shard)).digest('hex').slice(0, 32)}.json`
    shards.push(name)
    if (!known.has(name)) await document<Shard>(disk, join(shardFolder, name), 'snapshot-shard', unique, shard).write()
  }
  await document<Manifest>(disk, join(folder, 'snapshot.json'), 'snapshot', unique, { seq: snapshot.seq, shards }).write()
  for (const name of known) if (!shards.includes(name)) await disk.remove(join(shardFolder, name))
}

/** The run's snapshot; undefined when there is none, or not a whole one: then its entries say it all. */
export async function loadSnapshot(disk: Disk, folder: string): Promise<Snapshot | undefined> {
  const manifest = await new DocumentAdapter<Manifest>(disk, join(folder, 'snapshot.json'), 'snapshot', () => '').read()
  if (manifest === null) return undefined
  const records: SnapshotRecord[] = []
  for (const name of manifest.shards) {
    const shard = await new DocumentAdapter<Shard>(disk, join(folder, 'snapshot', name), 'snapshot-shard', () => '').read()
    if (shard === null) return undefined
    for (const record of shard.records) records.push(record)
  }
  return { seq: manifest.seq, records }
}

function document<T>(disk: Disk, path: string, kind: string, unique: () => string, data: T): Low<T> {
  return new Low<T>(new DocumentAdapter<T>(disk, path, kind, unique), data)
}
