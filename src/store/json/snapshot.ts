import { join } from 'node:path'
import { Low } from 'lowdb'
import type { Snapshot, SnapshotRecord, SnapshotSource } from '../../ports/store.ts'
import { handled } from '../../protocol/handled.ts'
import { hasEnded } from '../row-list.ts'
import type { Disk } from './disk.ts'
import { DocumentAdapter } from './document-adapter.ts'
import type { JournalReader } from './journal-reader.ts'
import type { Layout } from './layout.ts'
import { putFile } from './whole-file.ts'

/** What `snapshot.json` says: these shards, in this order, with the entries after `seq`, are the run's state. */
interface Manifest {
  readonly seq: number
  /** No record is newer; a journal that ends before it is not the one that this was taken of. */
  readonly through: number
  /** The run's last line when the snapshot was saved: nor is a journal that has another one there. */
  readonly line?: { readonly seq: number; readonly hash: string }
  readonly shards: readonly ShardRef[]
}

interface ShardRef {
  readonly seq: number
  readonly file: string
}

interface Shard {
  /** Where it belongs: a shard of another run, or of another place, reads as well as this one. */
  readonly run: string
  readonly file: string
  readonly records: readonly SnapshotRecord[]
}

/** So many shards are on their way to the disk at once: the second is made meanwhile. More of them keep the journal waiting for the disk. */
const shardsAtOnce = 2

/** So many are read at once. */
const readAtOnce = 2

/** A shard may go while it is read, because a newer snapshot took its place: then that one is read. */
const readTries = 3

export interface SnapshotParts {
  readonly disk: Disk
  readonly layout: Layout
  readonly reader: JournalReader
  readonly unique: () => string
}

/**
 * The snapshots of runs, and of the reserved stream, each in its folder: `snapshot.json` names the shards in `snapshot/`. One is saved
 * shard by shard, with turns of the event loop in between, and the manifest goes last: a power loss leaves the snapshot before, or this
 * one.
 */
export class Snapshots {
  readonly #parts: SnapshotParts
  /** The last saving of each run that is under way. Never rejects. */
  readonly #saving = new Map<string, Promise<void>>()
  /** Of runs that go on, the shards that were written here, or read whole: another one is never part of the next snapshot. */
  readonly #whole = new Map<string, ReadonlySet<string>>()

  constructor(parts: SnapshotParts) {
    this.#parts = parts
  }

  /** Saves, after what is being saved of the run already. A run that is removed gets no snapshot. */
  save(run: string, source: SnapshotSource): Promise<void> {
    const saved = (this.#saving.get(run) ?? Promise.resolve()).then(() => this.#saveUnlessRemoved(run, source))
    const settled = saved.catch(() => undefined)
    this.#saving.set(run, settled)
    void settled.then(() => {
      if (this.#saving.get(run) === settled) this.#saving.delete(run)
    })
    return saved
  }

  /** The run's snapshot; undefined when there is none that is whole and fits the journal: then the entries say it all. */
  async load(run: string): Promise<Snapshot | undefined> {
    const { disk } = this.#parts
    for (let left = readTries; left > 0; left -= 1) {
      const manifest = await this.#manifest(run)
      if (manifest === undefined) return undefined
      const records: SnapshotRecord[] = []
      let isWhole = true
      const reading: Promise<Shard | null>[] = []
      for (const [place, { file }] of manifest.shards.entries()) {
        // While one is read as JSON, the bytes of the next come from the disk.
        for (const { file: ahead } of manifest.shards.slice(place + reading.length, place + readAtOnce))
          reading.push(handled(this.#shard(run, ahead).read()))
        const shard = await reading.shift()
        isWhole &&= shard?.run === run && shard.file === file
        if (shard == null || !isWhole) break
        for (const record of shard.records) records.push(record)
        await disk.turn()
      }
      if (!isWhole) continue
      this.#remember(run, manifest.shards)
      return { seq: manifest.seq, records }
    }
    return undefined
  }

  async #saveUnlessRemoved(run: string, source: SnapshotSource): Promise<void> {
    const { disk, layout, reader } = this.#parts
    if (reader.heads.removed(run)) return
    try {
      await this.#save(run, source)
    } catch (cause) {
      if (!reader.heads.removed(run)) throw cause
    } finally {
      if (reader.heads.removed(run)) {
        this.#whole.delete(run)
        await disk.removeFolder(layout.run(run))
      }
    }
  }

  async #save(run: string, source: SnapshotSource): Promise<void> {
    const { disk, reader } = this.#parts
    const folder = this.#shardFolder(run)
    await disk.makeFolder(folder)
    const before = await this.#manifest(run)
    const shards = await this.#saveShards(run, source, before)
    const through = await source.through()
    const head = reader.heads.get(run)
    const isDurable = through !== undefined && head !== undefined && through <= head.seq
    if (isDurable) {
      const line = { seq: head.seq, hash: head.hash }
      await new Low<Manifest>(this.#manifestFile(run), { seq: source.seq, through, line, shards }).write()
      this.#remember(run, shards)
    }
    const kept = new Set((isDurable ? shards : before?.shards)?.map(({ file }) => file))
    for (const name of await disk.list(folder)) if (!kept.has(name)) await disk.remove(join(folder, name))
  }

  /** Saves the shards that are not what the snapshot before has of them. They survive a power loss when all of them are there. */
  async #saveShards(run: string, source: SnapshotSource, before: Manifest | undefined): Promise<readonly ShardRef[]> {
    const { disk } = this.#parts
    const folder = this.#shardFolder(run)
    const there = new Set(await disk.list(folder))
    const whole = this.#whole.get(run)
    const shards: ShardRef[] = []
    const writing: Promise<void>[] = []
    try {
      for (const { seq, records } of source.shards) {
        const file = fileOf(shards.length, seq)
        const isSame = before?.shards[shards.length]?.file === file && there.has(file) && whole?.has(file) === true
        shards.push({ seq, file })
        if (!isSame) {
          if (writing.length === shardsAtOnce) await writing.shift()
          const written = new Low<Shard>(this.#shard(run, file), { run, file, records: records() })
          writing.push(handled(written.write()))
        }
        await disk.turn()
      }
      await Promise.all(writing)
      await disk.syncFolder(folder)
    } finally {
      // Nothing comes to the folder any more once this is told.
      await Promise.allSettled(writing)
    }
    return shards
  }

  #remember(run: string, shards: readonly ShardRef[]): void {
    if (hasEnded(this.#parts.reader.heads.get(run)?.row)) this.#whole.delete(run)
    else this.#whole.set(run, new Set(shards.map(({ file }) => file)))
  }

  /** The run's manifest, if it fits the journal. */
  async #manifest(run: string): Promise<Manifest | undefined> {
    const { reader } = this.#parts
    const manifest = await this.#manifestFile(run).read()
    if (manifest?.line === undefined || manifest.through > reader.heads.seq(run)) return undefined
    return (await reader.hashAt(run, manifest.line.seq)) === manifest.line.hash ? manifest : undefined
  }

  #manifestFile(run: string): DocumentAdapter<Manifest> {
    const { disk, layout, unique } = this.#parts
    return new DocumentAdapter(disk, join(layout.run(run), 'snapshot.json'), 'snapshot', unique)
  }

  #shard(run: string, file: string): DocumentAdapter<Shard> {
    const { disk, unique } = this.#parts
    return new DocumentAdapter(disk, join(this.#shardFolder(run), file), 'snapshot-shard', unique, putFile)
  }

  #shardFolder(run: string): string {
    return join(this.#parts.layout.run(run), 'snapshot')
  }
}

/** A shard of the same place and sequence holds the same; one that was named otherwise may hold other tasks. */
function fileOf(place: number, seq: number): string {
  return `shard-${String(place).padStart(4, '0')}-${seq}.json`
}
