import { Low } from 'lowdb'
import { crc32 } from 'node:zlib'
import type { Clock } from '../../ports/clock.ts'
import type { Disk } from './disk.ts'
import { DocumentAdapter } from './document-adapter.ts'
import type { JournalReader, ReadState } from './journal-reader.ts'
import type { Layout } from './layout.ts'
import type { Place, RunHead } from './run-heads.ts'
import { RunHeads } from './run-heads.ts'
import type { SegmentChain } from './segment-chain.ts'
import { segmentPath } from './segment-chain.ts'

/** The heads of all runs and how much of the journal they stand for. */
interface IndexData {
  position?: Place
  /** Checksum of the journal's bytes before the position: an index of another journal is not taken for this one's. */
  before?: number
  runs: readonly RunHead[]
}

/** How many bytes before the position the checksum covers. */
const beforeBytes = 256
/** Writing takes at most this share of the time. */
const restPerWrite = 20

/** `index.json`: makes opening and listing fast, and can be made again from the journal at any time (ST2). */
export class IndexDocument {
  readonly #disk: Disk
  readonly #layout: Layout
  readonly #clock: Clock
  readonly #delayMs: number
  readonly #low: Low<IndexData>
  /** How much of the journal the index that was loaded stood for, whether or not the journal still fits it. */
  #known: Place | undefined
  #lastWriteMs = 0
  #waiting: AbortController | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(disk: Disk, layout: Layout, clock: Clock, delayMs: number, unique: () => string) {
    this.#disk = disk
    this.#layout = layout
    this.#clock = clock
    this.#delayMs = delayMs
    this.#low = new Low<IndexData>(new DocumentAdapter<IndexData>(disk, layout.index, 'index', unique), { runs: [] })
  }

  /** What the index says, if it fits the journal. */
  async load(chain: SegmentChain): Promise<ReadState | undefined> {
    this.#low.data = { runs: [] }
    await this.#low.read()
    const { position, before, runs } = this.#low.data
    this.#low.data = { runs: [] }
    this.#known = position
    if (position === undefined || !(await this.#fits(chain, position, before))) return undefined
    return { heads: RunHeads.from(runs), position }
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
      const ms = Math.max(this.#delayMs, this.#lastWriteMs * restPerWrite)
      await this.#clock.sleep(ms, { signal: waiting.signal, keepAlive: false })
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
    const { position } = reader
    if (position === undefined) return
    const startedAt = this.#clock.monotonic()
    try {
      // Heads and position belong together: both are taken before anything is awaited.
      const runs = [...reader.heads.all()].map((head) => ({ ...head, marks: [...head.marks] }))
      const before = await this.#checksumBefore(position)
      if (before === undefined) return
      this.#low.data = { position, before, runs }
      await this.#low.write()
    } catch {
      // The journal holds everything that this document does.
    } finally {
      this.#low.data = { runs: [] }
    }
    this.#lastWriteMs = this.#clock.monotonic() - startedAt
  }

  async #fits(chain: SegmentChain, position: Place, before: number | undefined): Promise<boolean> {
    const link = chain.links.find(({ segment }) => segment === position.segment)
    if (link === undefined || position.byte > (link.end ?? Number.MAX_SAFE_INTEGER)) return false
    return before !== undefined && (await this.#checksumBefore(position).catch(() => undefined)) === before
  }

  async #checksumBefore({ segment, byte }: Place): Promise<number | undefined> {
    const from = Math.max(0, byte - beforeBytes)
    const bytes = await this.#disk.read(segmentPath(this.#layout.journal, segment), from, byte)
    return bytes.length === byte - from ? crc32(bytes) : undefined
  }
}
