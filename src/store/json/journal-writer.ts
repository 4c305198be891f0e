import { FleetError } from '../../protocol/errors.ts'
import { Gathering } from '../../protocol/gathering.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Batch } from '../../ports/store.ts'
import { Admission } from '../admission.ts'
import { conflict, notStored, outcomeUnknown } from './append-error.ts'
import { damageError } from './damage.ts'
import type { Disk } from './disk.ts'
import type { PreparedBatch } from './group.ts'
import { assembleGroup, prepareBatch, prepareRemoval } from './group.ts'
import { readJournal } from './journal-bytes.ts'
import type { JournalReader } from './journal-reader.ts'
import { LineBuffer } from './line-buffer.ts'
import { segmentName, segmentPath } from './segment-chain.ts'
import type { DropRecord, SegmentHeader } from './segment-line.ts'
import { encodeClosed } from './segment-line.ts'
import { parseSegment } from './segment-parse.ts'
import type { OpenSegment } from './segment-writer.ts'
import { createSegment, placeOf } from './segment-writer.ts'

export interface WriterParts {
  readonly disk: Disk
  readonly journal: string
  readonly clock: Clock
  readonly reader: JournalReader
  readonly header: SegmentHeader
  readonly opened: OpenSegment
  readonly segmentBytes: number
  readonly lineChars: number
  readonly roomBytes: number
  readonly unique: () => string
  /** Called when something became durable. */
  readonly onDurable: () => void
  /** Called once, when a newer epoch was found. */
  readonly onFenced: () => void
}

interface Call {
  readonly batches: readonly PreparedBatch[]
  /** What a segment begins with, before the batches are written. */
  readonly record: DropRecord | undefined
  resolve(): void
  reject(error: FleetError): void
}

/**
 * A sync that is likely to be quick is not worth a hop through the thread pool when few wait for it. Where many do the hop costs them
 * little, and a disk that is slow for once does not stop the event loop.
 */
const quickSyncMs = 1
const quickEntries = 8

/** Appends to the journal for the owner of an epoch: everything that waits goes with one write and one sync (ST3). */
export class JournalWriter {
  readonly #parts: WriterParts
  readonly #admission: Admission
  readonly #gathering: Gathering
  #open: OpenSegment
  /** Where the open segment lies, and where that of the next epoch would: each append looks there. */
  #openPath: string
  readonly #nextPath: string
  #segmentNumber: number
  #waiting: Call[] = []
  #working: Promise<void> | undefined
  /** The open segment took a failed write or sync: what lies behind its end is not known, and nothing more is appended to it. */
  #isUnsettled = false
  #settling: Promise<void> | undefined
  #isFenced = false
  #isClosed = false
  #lastSyncMs = 0
  readonly #buffer = new LineBuffer()

  constructor(parts: WriterParts) {
    this.#parts = parts
    const { clock, disk } = parts
    this.#gathering = new Gathering({ monotonic: () => clock.monotonic(), turn: () => disk.turn() })
    this.#open = parts.opened
    this.#openPath = segmentPath(parts.journal, parts.opened.segment)
    this.#nextPath = segmentPath(parts.journal, segmentName(parts.header.epoch + 1, 1))
    this.#segmentNumber = parts.header.segment
    this.#admission = new Admission({
      seq: (run) => parts.reader.heads.seq(run),
      removed: (run) => parts.reader.heads.removed(run),
      keyHolder: (key) => parts.reader.heads.keyHolder(key),
    })
  }

  /** What the caller does with its objects after the call changes nothing. */
  async append(batches: readonly Batch[]): Promise<void> {
    if (!this.#mustSettle()) return this.#admit(batches)
    const copies = structuredClone(batches)
    await this.#settleToWrite()
    await this.#admit(copies)
  }

  /** Appends a run's tombstone (RU8). */
  async remove(run: string): Promise<void> {
    await this.#settleToWrite()
    if (this.#isFenced) throw conflict()
    const seq = this.#admission.admitRemoval(run)
    if (seq === undefined) return
    await this.#enqueue([prepareRemoval(run, seq, this.#parts.clock.now())])
  }

  /** After a failed write or sync: finds out what is there, keeps it, and goes on in a new segment (ST5). */
  settle(): Promise<void> {
    return this.#mustSettle() ? this.#goOn() : Promise.resolve()
  }

  /** Whoever writes is told that nothing of theirs was stored, and not only that the segment before cannot be read (ST1). */
  #settleToWrite(): Promise<void> {
    return this.settle().catch((cause: unknown) => {
      throw FleetError.is(cause, 'unreadable_file') ? notStored(cause) : cause
    })
  }

  /**
   * Goes on in a new segment. Whoever wants that meanwhile waits for the same one: two would both follow the one before. A record begins
   * a segment of its own, after one that is under way.
   */
  #goOn(record?: DropRecord): Promise<void> {
    if (record !== undefined && this.#settling !== undefined) return this.#settling.then(() => this.#goOn(record))
    this.#settling ??= this.#startSegment(record).finally(() => (this.#settling = undefined))
    return this.#settling
  }

  /** Goes on in a new segment, which begins with the record of those that may go (ST7). */
  async drop(record: DropRecord): Promise<void> {
    await this.#settleToWrite()
    if (this.#isFenced) throw conflict()
    await this.#enqueue([], record)
  }

  /** Looks whether a newer epoch has begun (ST6). Its name may have gone by now, but not before one's own segments did (ST7). */
  checkFence(): boolean {
    const { disk, onFenced } = this.#parts
    if (this.#isFenced || (!disk.exists(this.#nextPath) && disk.remains(this.#openPath))) return this.#isFenced
    this.#isFenced = true
    onFenced()
    return true
  }

  /** Writes what waits, and a last line that frees the folder at once. */
  async close(): Promise<void> {
    await this.#working
    this.#isClosed = true
    try {
      await this.settle()
      if (this.checkFence()) return
      this.#open.file.append(Buffer.from(encodeClosed(this.#parts.clock.now(), this.#open.end)))
      await this.#open.file.trim()
      await this.#open.file.sync()
    } catch {
      // Everything acknowledged is synced; without the last line the next owner looks whether this process lives.
    } finally {
      await this.#open.file.close().catch(() => undefined)
    }
  }

  async #admit(batches: readonly Batch[]): Promise<void> {
    const { disk, journal, reader } = this.#parts
    if (this.#isFenced) throw conflict()
    if (this.#isClosed) throw notStored('the store is being closed')
    for (const { run } of batches) {
      const head = reader.heads.get(run)
      if (head?.damage !== undefined) throw await damageError(disk, journal, run, head.damage, head.seq)
    }
    const admitted = this.#admission.admit(batches)
    if (admitted.length > 0) await this.#enqueue(admitted.map((batch) => prepareBatch(batch, this.#parts.lineChars)))
  }

  #mustSettle(): boolean {
    return this.#isUnsettled || this.#settling !== undefined
  }

  #enqueue(batches: readonly PreparedBatch[], record?: DropRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batches, record, resolve, reject })
      // Never rejects: every turn hands its outcome to its callers.
      this.#working ??= this.#work()
    })
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gathering.wait()
      const calls = this.#waiting
      this.#gathering.came(calls.length)
      this.#waiting = []
      try {
        await this.#write(calls)
        for (const call of calls) call.resolve()
      } catch (cause) {
        this.#fail(calls, FleetError.is(cause) ? cause : notStored(cause))
      }
    }
    // At once: whoever comes next must not think that somebody still looks for more.
    this.#working = undefined
  }

  /** Nothing of what was queued meanwhile was written: it is refused, since it was decided upon what failed (CO1). */
  #fail(calls: readonly Call[], error: FleetError): void {
    const later = this.#waiting
    this.#waiting = []
    this.#admission.reset()
    for (const call of calls) call.reject(error)
    for (const call of later) call.reject(this.#isFenced ? conflict() : notStored(error))
  }

  async #write(calls: readonly Call[]): Promise<void> {
    const { reader, segmentBytes, onDurable } = this.#parts
    const batches = calls.flatMap((call) => call.batches)
    const record = calls.find((call) => call.record !== undefined)?.record
    if (record !== undefined) await this.#goOn(record)
    if (batches.length === 0) return
    let group = assembleGroup(batches, reader.heads, this.#open.end, this.#buffer)
    if (this.#open.end > segmentBytes / 2 && this.#open.end + group.bytes.length > segmentBytes) {
      await this.#goOn()
      group = assembleGroup(batches, reader.heads, this.#open.end, this.#buffer)
    }
    const { file, end, segment } = this.#open
    try {
      file.append(group.bytes)
    } catch (cause) {
      await this.#undo(cause)
      throw notStored(cause)
    }
    await this.#sync(group.count <= quickEntries)
    if (this.#isFencedNow()) throw conflict()
    this.#open = { file, segment, end: end + group.bytes.length }
    reader.wrote(group.lines, end, placeOf(this.#open))
    this.#admission.settle(batches)
    onDurable()
  }

  /** Cuts off what a failed write left behind. Where that fails too, nobody can say what would be read after a crash. */
  async #undo(cause: unknown): Promise<void> {
    // A newer owner may count what stands there.
    if (this.#isFencedNow()) throw conflict()
    try {
      await this.#open.file.truncate(this.#open.end)
      await this.#open.file.sync()
    } catch {
      this.#isUnsettled = true
      throw outcomeUnknown(cause)
    }
  }

  async #sync(isSmall: boolean): Promise<void> {
    const { clock } = this.#parts
    const startedAt = clock.monotonic()
    try {
      if (isSmall && this.#lastSyncMs < quickSyncMs) this.#open.file.syncNow()
      else await this.#open.file.sync()
    } catch (cause) {
      this.#isUnsettled = true
      throw outcomeUnknown(cause)
    }
    this.#lastSyncMs = clock.monotonic() - startedAt
  }

  /** Where that cannot be told, nothing is acknowledged: what was written may count or not. */
  #isFencedNow(): boolean {
    try {
      return this.checkFence()
    } catch (cause) {
      this.#isUnsettled = true
      throw outcomeUnknown(cause)
    }
  }

  async #startSegment(dropped?: DropRecord): Promise<void> {
    const { disk, journal, header, reader, unique, onDurable } = this.#parts
    const { file, segment, end } = this.#open
    try {
      const behind = this.#isUnsettled ? await readJournal(disk, segmentPath(journal, segment), end) : Buffer.alloc(0)
      const kept = parseSegment(behind, end, false)
      this.#segmentNumber += 1
      const gone = new Set(dropped?.segments)
      const left = dropped === undefined ? [] : reader.ends.filter((one) => !gone.has(one.segment))
      const previous = [...left, { segment, end }]
      const adopted = behind.subarray(0, kept.end - end)
      const top = { ...header, segment: this.#segmentNumber }
      // From here on it may be there, and says where this one ends.
      this.#isUnsettled = true
      const next = await createSegment(this.#parts, top, previous, adopted, unique(), dropped)
      try {
        if (this.checkFence()) throw conflict()
      } catch (cause) {
        await next.file.close()
        throw cause
      }
      this.#open = next
      this.#openPath = segmentPath(journal, next.segment)
      this.#isUnsettled = false
      reader.follow(previous, placeOf(next), dropped)
      const moved = kept.items.flatMap((item) => (item.kind === 'batch' ? item.lines : []))
      reader.wrote(moved, next.adoptedAt - end, placeOf(next))
    } catch (cause) {
      throw FleetError.is(cause) ? cause : notStored(cause)
    }
    await file.close().catch(() => undefined)
    onDurable()
  }

  /** Rejects `store_conflict` when a newer epoch has begun. */
  refuseFenced(): void {
    if (this.checkFence()) throw conflict()
  }
}
