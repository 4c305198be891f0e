import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { Low } from 'lowdb'
import type { Clock } from '../../ports/clock.ts'
import type { Disk } from './disk.ts'
import { hasEnded } from '../row-list.ts'
import { DocumentAdapter } from './document-adapter.ts'
import type { NewShard, ShardRef } from './head-shards.ts'
import { HeadShards } from './head-shards.ts'
import type { JournalReader, ReadState } from './journal-reader.ts'
import type { Layout } from './layout.ts'
import type { Place } from './marks.ts'
import { sparseMarks, thinMarks } from './marks.ts'
import type { RunHead } from './run-heads.ts'
import { RunHeads } from './run-heads.ts'
import type { SegmentChain } from './segment-chain.ts'
import { segmentPath } from './segment-chain.ts'
import { SegmentUse } from './segment-use.ts'

/** The heads of runs and how much of the journal they stand for. */
interface IndexData {
  readonly position?: Place
  /** Checksum of the journal's bytes before the position: an index of another journal is not taken for this one's. */
  readonly before?: number
  /** How many runs there were so far. */
  readonly created?: number
  /** The heads that lie in no shard, or are newer than there. */
  readonly runs: readonly RunHead[]
  readonly shards?: readonly ShardRef[]
  readonly segments?: ReturnType<SegmentUse['all']>
}

interface ShardData {
  readonly runs: readonly RunHead[]
}

export interface IndexParts {
  readonly disk: Disk
  readonly layout: Layout
  readonly clock: Clock
  readonly delayMs: number
  readonly unique: () => string
  /** Whether something of a run is still to be done after a crash, so that its head stays at hand. */
  readonly isBusy: (run: string) => boolean
}

/** How many bytes before the position the checksum covers. */
const beforeBytes = 256
/** Writing takes at most this share of the time. */
const restPerWrite = 20

/**
 * `index.json` makes opening and listing fast, and can be made again from the journal at any time (ST2). It has the heads of the runs
 * that somebody may need; those of runs that have ended go, 500 at a time, to shards in `index/`, which never change and are read
 * when they are asked for.
 */
export class IndexDocument {
  readonly #parts: IndexParts
  /** How much of the journal the index that was loaded stood for, whether or not the journal still fits it. */
  #known: Place | undefined
  #lastWriteMs = 0
  #waiting: AbortController | undefined
  #writing: Promise<void> = Promise.resolve()
  #hasSwept = false

  constructor(parts: IndexParts) {
    this.#parts = parts
  }

  /** What the index says, if it fits the journal. */
  async load(chain: SegmentChain): Promise<ReadState | undefined> {
    const { position, before, created, runs, shards, segments } = (await this.#document().read()) ?? { runs: [] }
    this.#known = position
    if (position === undefined || created === undefined || !(await this.#fits(chain, position, before))) return undefined
    const known = { shards: new HeadShards(shards ?? []), segments: new SegmentUse(segments), heads: runs, created }
    return { heads: new RunHeads(known), position }
  }

  /** The heads in a shard; undefined when it does not read as it was written. */
  async shard({ file, runs }: ShardRef): Promise<readonly RunHead[] | undefined> {
    const data = await this.#shard(file).read()
    return data?.runs.length === runs ? data.runs : undefined
  }

  get known(): Place | undefined {
    return this.#known
  }

  /** Writes soon: many changes, one write. */
  schedule(reader: JournalReader): void {
    if (this.#waiting !== undefined) return
    const waiting = new AbortController()
    this.#waiting = waiting
    // One write at a time: two could come to the disk in either order.
    this.#writing = this.#writing.then(async () => {
      const ms = Math.max(this.#parts.delayMs, this.#lastWriteMs * restPerWrite)
      await this.#parts.clock.sleep(ms, { signal: waiting.signal, keepAlive: false })
      if (waiting.signal.aborted) return
      this.#waiting = undefined
      await this.#write(reader)
    })
  }

  /** Writes now, and waits for what was being written. */
  async flush(reader: JournalReader): Promise<void> {
    await this.cancel()
    await this.#write(reader)
  }

  /** Forgets a scheduled write, and waits for one that has begun. */
  async cancel(): Promise<void> {
    this.#waiting?.abort()
    this.#waiting = undefined
    await this.#writing
  }

  /** Never rejects: an index that is behind costs time at the next opening, nothing else. */
  async #write(reader: JournalReader): Promise<void> {
    const { clock } = this.#parts
    const startedAt = clock.monotonic()
    // The journal holds everything that this document does.
    await this.#writeAll(reader).catch(() => undefined)
    this.#lastWriteMs = clock.monotonic() - startedAt
  }

  async #writeAll({ position, heads }: JournalReader): Promise<void> {
    if (position === undefined) return
    // Heads and position belong together: all are taken before anything is awaited.
    heads.shards.dissolve()
    const { shards, rest } = heads.shards.divide(heads.all(), this.#parts.isBusy)
    const created = heads.created
    const runs = rest.map(copyOf)
    const filling = shards.map((shard) => ({ ...shard, heads: shard.heads.map(copyOf) }))
    const [refs, segments] = [heads.shards.refs, heads.segments.all()]
    const before = await this.#checksumBefore(position)
    if (before === undefined) return
    const written: { readonly ref: ShardRef; readonly shard: NewShard }[] = []
    for (const shard of filling) written.push({ shard, ref: await this.#writeShard(shard) })
    const all = [...refs, ...written.map(({ ref }) => ref)]
    await new Low<IndexData>(this.#document(), { position, before, created, runs, shards: all, segments }).write()
    for (const { ref, shard } of written) heads.shards.add(ref, shard.heads, changedSince(shard.heads, heads))
    if (!this.#hasSwept || written.length > 0) await this.#sweep(all)
  }

  async #writeShard({ heads, newest }: NewShard): Promise<ShardRef> {
    const { disk, layout, unique } = this.#parts
    await disk.makeFolder(layout.shards)
    const file = `${String(heads[0]?.order ?? 0).padStart(8, '0')}-${unique()}.json`
    await new Low<ShardData>(this.#shard(file), { runs: heads }).write()
    await disk.turn()
    return { file, runs: heads.length, newest, stale: [] }
  }

  /** Removes shards that the index does not name. */
  async #sweep(refs: readonly ShardRef[]): Promise<void> {
    const { disk, layout } = this.#parts
    const named = new Set(refs.map(({ file }) => file))
    for (const name of await disk.list(layout.shards)) if (!named.has(name)) await disk.remove(join(layout.shards, name))
    this.#hasSwept = true
  }

  #document(): DocumentAdapter<IndexData> {
    const { disk, layout, unique } = this.#parts
    return new DocumentAdapter(disk, layout.index, 'index', unique)
  }

  #shard(file: string): DocumentAdapter<ShardData> {
    const { disk, layout, unique } = this.#parts
    return new DocumentAdapter(disk, join(layout.shards, file), 'index-shard', unique)
  }

  async #fits(chain: SegmentChain, position: Place, before: number | undefined): Promise<boolean> {
    const link = chain.links.find(({ segment }) => segment === position.segment)
    if (link === undefined || position.byte > (link.end ?? Number.MAX_SAFE_INTEGER)) return false
    return before !== undefined && (await this.#checksumBefore(position).catch(() => undefined)) === before
  }

  async #checksumBefore({ segment, byte }: Place): Promise<number | undefined> {
    const { disk, layout } = this.#parts
    const from = Math.max(0, byte - beforeBytes)
    const bytes = await disk.read(segmentPath(layout.journal, segment), from, byte)
    return bytes.length === byte - from ? crc32(bytes) : undefined
  }
}

function copyOf(head: RunHead): RunHead {
  return { ...head, marks: hasEnded(head.row) ? thinMarks(head.marks) : sparseMarks(head.marks) }
}

/** Runs whose heads went on while their shard was written. */
function changedSince(written: readonly RunHead[], heads: RunHeads): readonly string[] {
  const changed = written.filter(({ run, seq, removed, damage }) => {
    const now = heads.get(run)
    return now?.seq !== seq || now.removed !== removed || now.damage !== damage
  })
  return changed.map(({ run }) => run)
}
