import { expect } from 'vitest'
import { FleetError } from '../../../../src/protocol/errors.ts'
import type { Snapshot, SnapshotRecord, Store } from '../../../../src/ports/store.ts'
import type { FileTree } from '../../../support/disk-model/file-tree.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { batch } from './store-folder.ts'
import { modelFolder, modelStore } from './witness.ts'

const run = 'run-1'
const runFolder = `${modelFolder}/runs/${run}`
const sector = 512

/** A moment of a store: what lies in its folder, how many entries the run has, and the snapshot that was saved last. */
export interface Moment {
  readonly tree: FileTree
  readonly last: number
  readonly snapshot: Snapshot | undefined
}

/** A run that goes on and is snapshotted, as it stood at every step. */
export async function writeMoments(text = run): Promise<readonly Moment[]> {
  const disk = new ModelDisk()
  const store = modelStore(disk, { segmentBytes: 1300 })
  const moments: Moment[] = []
  let last = 0
  let snapshot: Snapshot | undefined
  const append = async (count: number) => {
    await store.append([entriesOf(text, last, count)])
    last += count
    moments.push({ tree: disk.tree.copy(), last, snapshot })
  }
  const save = async () => {
    snapshot = await saveSnapshot(store, last)
    moments.push({ tree: disk.tree.copy(), last, snapshot })
  }
  await store.open({ instance: 'owner' })
  await append(2)
  await append(2)
  await save()
  await append(3)
  await save()
  await append(2)
  return moments
}

/** The journal of one moment with the snapshots of another. */
export function under(journal: Moment, snapshots: Moment): FileTree {
  const tree = journal.tree.copy()
  for (const path of tree.names.keys()) if (path.startsWith(`${runFolder}/`)) tree.names.delete(path)
  for (const folder of snapshots.tree.folders) if (folder.startsWith(`${modelFolder}/runs`)) tree.folders.add(folder)
  for (const path of snapshots.tree.names.keys())
    if (path.startsWith(`${runFolder}/`)) put(tree, path, snapshots.tree.bytes(path))
  return tree
}

/** Every way, `stride` apart, in which one file of the last snapshot may have come to be otherwise than it was written. */
export function* spoiltSnapshots(
  moments: readonly Moment[],
  stride: number,
): Generator<{ readonly name: string; readonly tree: FileTree }> {
  const { tree } = moments.at(-1) as Moment
  const files = [...tree.names.keys()].filter((path) => path.startsWith(`${runFolder}/`))
  const everyFile = new Map(
    moments.flatMap((moment) => [...moment.tree.names.keys()].map((path) => [path, moment.tree] as const)),
  )
  for (const path of files) {
    const bytes = tree.bytes(path) ?? Buffer.alloc(0)
    const spoilt = (how: string, content: Uint8Array | undefined) => {
      const copy = tree.copy()
      if (content === undefined) copy.names.delete(path)
      else put(copy, path, Buffer.from(content))
      return { name: `${path} ${how}`, tree: copy }
    }
    yield spoilt('gone', undefined)
    for (let cut = 0; cut < bytes.length; cut += stride) yield spoilt(`cut at ${cut}`, bytes.subarray(0, cut))
    for (let bit = 0; bit < bytes.length * 8; bit += stride) {
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      yield spoilt(`with bit ${bit} flipped`, flipped)
    }
    for (let start = 0; start < bytes.length; start += sector)
      yield spoilt(`zero from ${start}`, Buffer.from(bytes).fill(0, start, Math.min(start + sector, bytes.length)))
    for (const [other, from] of everyFile)
      if (other !== path && other.startsWith(`${runFolder}/`)) yield spoilt(`as ${other}`, from.bytes(other))
    for (const moment of moments) {
      const older = moment.tree.bytes(path)
      if (older !== undefined && !older.equals(bytes)) yield spoilt('as it was before', older)
    }
  }
}

/**
 * Opens a folder and gives the snapshot that it believes, or `refused` where a file is named of a newer format. Rejects unless every entry is there, and nothing is told as lost: snapshots
 * can be made again.
 */
export async function believed(
  tree: FileTree,
  last: number,
  where: string,
  text = run,
): Promise<Snapshot | 'refused' | undefined> {
  const store = modelStore(new ModelDisk(tree))
  const { warnings } = await store.open({ instance: 'next' })
  expect(warnings, where).toEqual([])
  expect(await store.read(run, { from: 1, limit: 100 }), where).toEqual(entriesOf(text, 0, last).entries)
  const found = await store.loadSnapshot(run).catch((error: unknown) => {
    // One flipped bit makes a newer format of this one.
    if (!FleetError.is(error, 'store_too_new')) throw error
    expect(error.details['file'], where).toContain(runFolder)
    return 'refused' as const
  })
  if (found === 'refused') return found
  // What was believed or not: the next one takes its place.
  const next = await saveSnapshot(store, last)
  expect(await store.loadSnapshot(run), where).toEqual(next)
  await store.close()
  return found
}

function entriesOf(text: string, after: number, count: number) {
  const { entries, ...rest } = batch(run, after, count)
  return { ...rest, entries: entries.map((entry) => ({ ...entry, text: `${text} ${entry.seq}` })) }
}

/** Of three shards, of which the middle one was set early. */
async function saveSnapshot(store: Store, seq: number): Promise<Snapshot> {
  const record = (key: string, at: number): SnapshotRecord => ({ key, seq: at, value: `${key} as of ${at}` })
  const shards = [
    { seq, records: () => [record('run', seq)] },
    { seq: 2, records: () => [record('task:1', 1), record('task:2', 2)] },
    { seq, records: () => [record('task:3', seq - 1), record('task:4', seq)] },
  ]
  await store.saveSnapshot(run, { seq, shards, through: () => Promise.resolve(seq) })
  return { seq, records: shards.flatMap(({ records }) => records()) }
}

function put(tree: FileTree, path: string, bytes: Buffer = Buffer.alloc(0)): void {
  const file = Math.max(...tree.contents.keys()) + 1
  tree.names.set(path, file)
  tree.contents.set(file, bytes)
}
