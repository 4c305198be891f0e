import { FleetError } from '../../protocol/errors.ts'
import { reservedId } from '../../protocol/ids.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Ids } from '../../ports/ids.ts'
import type {
  Batch,
  InboxItem,
  RunClaim,
  RunRow,
  Snapshot,
  SnapshotSource,
  Store,
  StoreOpening,
  StoreOwner,
} from '../../ports/store.ts'
import { Bell } from '../bell.ts'
import { hasEnded } from '../row-list.ts'
import { diskBlobs } from './blobs.ts'
import type { Disk } from './disk.ts'
import { nodeDisk } from './disk.ts'
import { folderChanges } from './folder-watch.ts'
import { postCommand, sweepAnswers, takeCommands } from './inbox.ts'
import { IndexDocument } from './index-document.ts'
import { reasonOf } from './journal-bytes.ts'
import type { OpeningOptions } from './journal-opening.ts'
import { openJournal } from './journal-opening.ts'
import { JournalReader } from './journal-reader.ts'
import { JournalWriter } from './journal-writer.ts'
import type { Layout } from './layout.ts'
import { layoutOf } from './layout.ts'
import { readOwner } from './owner.ts'
import type { HostFacts } from './process-identity.ts'
import { hostFacts } from './process-identity.ts'
import { resolveChain } from './segment-chain.ts'
import { RunLookup } from './run-lookup.ts'
import { SegmentRetention } from './segment-retention.ts'
import { Snapshots } from './snapshot.ts'

/** What a JSON store is made of. */
export interface JsonStoreParts {
  readonly folder: string
  readonly clock: Clock
  readonly ids: Ids
  /** A segment of the journal is followed by the next one at this size. Default 16 MiB. */
  readonly segmentBytes?: number
  /** How long `index.json` may stay behind the journal. Default 1 s. */
  readonly indexDelayMs?: number
  readonly host?: HostFacts
  readonly disk?: Disk
}

const defaults = { segmentBytes: 16 * 1024 * 1024, indexDelayMs: 1000 }

const lookMs = 1000

/** What being the writer holds. */
interface Ownership {
  readonly writer: JournalWriter
  readonly epoch: number
  /** Runs granted to this owner, or created by it. */
  readonly granted: Set<string>
  /** Posted commands that were handed out. */
  readonly taken: Set<string>
  /** Aborts when a newer epoch was found. */
  readonly lost: AbortController
  /** Aborts at the end, however it comes. */
  readonly ended: AbortController
}

/** A store in a folder of JSON files that a person can read (ST2). */
export function createJsonStore(parts: JsonStoreParts): Store {
  return new JsonStore(parts)
}

class JsonStore implements Store {
  readonly name: string
  readonly blobs: Store['blobs']
  readonly folder: string
  readonly #parts: Required<JsonStoreParts>
  readonly #layout: Layout
  readonly #reader: JournalReader
  readonly #index: IndexDocument
  readonly #runs: RunLookup
  readonly #snapshots: Snapshots
  readonly #grown = new Bell()
  /** Removed runs whose folders are still there. */
  readonly #leaving = new Set<string>()
  readonly #retention: SegmentRetention
  #givingBack: Promise<void> = Promise.resolve()
  #owned: Ownership | undefined
  #opening: AbortController | undefined
  #closing: Promise<void> | undefined

  constructor(parts: JsonStoreParts) {
    this.#parts = { ...defaults, host: hostFacts, disk: nodeDisk, ...parts }
    this.#layout = layoutOf(parts.folder)
    this.name = `json store in ${parts.folder}`
    this.folder = this.#layout.runs
    const { disk, clock, indexDelayMs } = this.#parts
    this.blobs = diskBlobs(disk, this.#layout, this.#unique)
    const isBusy = (run: string) => this.#leaving.has(run)
    this.#index = new IndexDocument({ disk, layout: this.#layout, clock, delayMs: indexDelayMs, unique: this.#unique, isBusy })
    this.#reader = new JournalReader(disk, this.#layout.journal, this.#parts.host, this.#index)
    this.#runs = new RunLookup(this.#reader)
    const common = { disk, reader: this.#reader, unique: this.#unique }
    this.#snapshots = new Snapshots({ ...common, layout: this.#layout })
    const streamSnapshot = () => this.#loadSnapshot(reservedId)
    this.#retention = new SegmentRetention({ ...common, journal: this.#layout.journal, streamSnapshot })
  }

  async open(options: Parameters<Store['open']>[0]): Promise<StoreOpening> {
    if (this.#owned?.lost.signal.aborted === true) await this.close()
    await this.#closing
    if (this.#opening !== undefined || this.#owned !== undefined)
      throw new FleetError('store_owned', `The ${this.name} is open already, in this very process. Close it first.`)
    const opening = new AbortController()
    this.#opening = opening
    const signal = options.signal === undefined ? opening.signal : AbortSignal.any([options.signal, opening.signal])
    try {
      return await this.#open({ ...options, signal })
    } catch (cause) {
      if (FleetError.is(cause) || signal.aborted) throw cause
      throw new FleetError(
        'not_stored',
        `The ${this.name} cannot be opened for writing: ${reasonOf(cause)}. Check the folder and its disk.`,
        { cause },
      )
    } finally {
      this.#opening = undefined
    }
  }

  async *claim({ runs, signal }: Parameters<Store['claim']>[0]): AsyncGenerator<RunClaim> {
    const owned = this.#requireOwned()
    const open = [...this.#reader.heads.all()].filter(({ seq, row, removed }) => seq > 0 && removed !== true && !hasEnded(row))
    const wanted = open.map(({ run }) => run).filter((run) => run !== reservedId && (runs === undefined || runs.includes(run)))
    for (const run of [reservedId, ...wanted]) {
      if (signal?.aborted === true || owned.ended.signal.aborted) return
      if (owned.granted.has(run)) continue
      owned.granted.add(run)
      const release = () => Promise.resolve(void owned.granted.delete(run))
      yield { run, epoch: owned.epoch, lost: owned.lost.signal, release }
    }
  }

  async append(batches: readonly Batch[]): Promise<void> {
    const { writer, granted } = this.#requireOwned()
    if (this.#runs.isLacking(batches)) {
      const copies = structuredClone(batches)
      await this.#reader.load(() => false)
      await writer.append(copies)
    } else await writer.append(batches)
    for (const { run, after } of batches) if (after === 0) granted.add(run)
  }

  async read(run: string, { from, limit }: Parameters<Store['read']>[1]): Promise<Awaited<ReturnType<Store['read']>>> {
    await this.#lookFor(run)
    return this.#reader.read(run, from, limit)
  }

  async last(run: string): Promise<number> {
    await this.#lookFor(run)
    return this.#lastOf(run)
  }

  async loadSnapshot(run: string): Promise<Snapshot | undefined> {
    await this.#lookFor(run)
    return this.#lastOf(run) === 0 ? undefined : this.#loadSnapshot(run)
  }

  async saveSnapshot(run: string, snapshot: SnapshotSource): Promise<void> {
    const { writer } = this.#requireOwned()
    writer.refuseFenced()
    await this.#snapshots.save(run, snapshot)
    // Its snapshot may be all that segments were kept for.
    if (run === reservedId) await this.#giveBack()
  }

  async *watch(run: string, { from, signal }: Parameters<Store['watch']>[1]): AsyncGenerator<number> {
    let last = from
    const hasGrown = () => this.#lastOf(run) > last
    while (!signal.aborted) {
      if (this.#isOwner()) {
        await this.#runs.find(run)
        if (hasGrown()) yield (last = this.#lastOf(run))
        else await this.#grown.wait(signal)
        continue
      }
      const options = { clock: this.#parts.clock, everyMs: lookMs, keepAlive: true, signal }
      for await (const _ of folderChanges(this.#layout.journal, options)) {
        await this.#reader.refresh()
        await this.#runs.find(run)
        if (hasGrown()) yield (last = this.#lastOf(run))
        if (this.#isOwner()) break
      }
    }
  }

  async runs(query?: Parameters<Store['runs']>[0]): Promise<readonly RunRow[]> {
    await this.#look()
    return this.#runs.rows(query)
  }

  async row(query: Parameters<Store['row']>[0]): Promise<RunRow | undefined> {
    await this.#look()
    return this.#runs.row(query)
  }

  post(...[command, options]: Parameters<Store['post']>): ReturnType<Store['post']> {
    return postCommand(this.#inboxParts(), command, options)
  }

  async *inbox({ signal }: Parameters<Store['inbox']>[0]): AsyncGenerator<InboxItem> {
    const { writer, taken, ended } = this.#requireOwned()
    yield* takeCommands(this.#inboxParts(), taken, AbortSignal.any([signal, ended.signal]), () => writer.checkFence())
  }

  async remove(run: string): Promise<void> {
    const { writer } = this.#requireOwned()
    await this.#runs.find(run)
    this.#leaving.add(run)
    try {
      await writer.remove(run)
      await this.#parts.disk.removeFolder(this.#layout.run(run))
    } finally {
      if (!this.#parts.disk.exists(this.#layout.run(run))) this.#leaving.delete(run)
    }
    await this.#giveBack()
  }

  async owner(): Promise<StoreOwner | undefined> {
    const { disk, host } = this.#parts
    return readOwner(disk, this.#layout.journal, await resolveChain(disk, this.#layout.journal), host)
  }

  close(): Promise<void> {
    this.#opening?.abort()
    this.#closing ??= this.#close().finally(() => (this.#closing = undefined))
    return this.#closing
  }

  async #open(options: OpeningOptions): Promise<StoreOpening> {
    const { disk, clock, host, ids, segmentBytes, folder } = this.#parts
    const { journal, inbox } = this.#layout
    const common = { disk, journal, clock, unique: this.#unique, reader: this.#reader }
    const { header, opened, warnings } = await openJournal(
      { ...common, folder, host, retention: this.#retention, newStoreId: () => ids.next('store') },
      options,
    )
    const ended = new AbortController()
    const lost = new AbortController()
    const onFenced = () => {
      this.#reader.disown()
      lost.abort()
      ended.abort()
      this.#grown.ring()
    }
    const onDurable = () => {
      this.#index.schedule(this.#reader)
      this.#grown.ring()
    }
    const writer = new JournalWriter({ ...common, header, opened, segmentBytes, onDurable, onFenced })
    this.#owned = { writer, epoch: header.epoch, granted: new Set(), taken: new Set(), lost, ended }
    await disk.makeFolder(inbox)
    await sweepAnswers(this.#inboxParts())
    // Of the removed runs, those whose folders may be left are not put apart.
    for (const { run, removed } of this.#reader.heads.all())
      if (removed === true && disk.exists(this.#layout.run(run))) await disk.removeFolder(this.#layout.run(run))
    return { storeId: header.store, epoch: header.epoch, warnings }
  }

  async #close(): Promise<void> {
    const owned = this.#owned
    if (owned === undefined) return
    owned.ended.abort()
    await this.#givingBack
    await owned.writer.close()
    if (owned.lost.signal.aborted) await this.#index.cancel()
    else await this.#index.flush(this.#reader)
    this.#owned = undefined
    this.#reader.disown()
    this.#grown.ring()
  }

  /** Brings what is known up to date: the owner settles what a failed sync left open, a reader reads on. */
  async #look(): Promise<void> {
    if (!this.#isOwner()) return this.#reader.refresh()
    await this.#owned?.writer.settle().catch((cause: unknown) => {
      throw new FleetError(
        'outcome_unknown',
        `What the ${this.name} holds cannot be told yet: ${reasonOf(cause)} Read again later.`,
        { cause },
      )
    })
  }

  async #lookFor(run: string): Promise<void> {
    await this.#look()
    await this.#runs.find(run)
  }

  async #loadSnapshot(run: string): Promise<Snapshot | undefined> {
    return (await this.#snapshots.load(run)) ?? this.#reader.heads.get(run)?.base?.snapshot
  }

  /** Deletes segments that hold nothing any more, one sweep after the other. Never rejects: what fails is done at the next opening. */
  #giveBack(): Promise<void> {
    const owned = this.#requireOwned()
    this.#givingBack = this.#givingBack.then(async () => {
      try {
        const record = await this.#retention.plan(this.#reader.ends, this.#parts.segmentBytes / 2)
        if (record === undefined || owned.ended.signal.aborted) return
        await owned.writer.drop(record)
        await this.#retention.sweep(record.segments, owned.epoch)
      } catch {
        // Nothing went that is needed.
      }
    })
    return this.#givingBack
  }

  #lastOf(run: string): number {
    return this.#reader.heads.removed(run) ? 0 : this.#reader.heads.seq(run)
  }

  #isOwner(): boolean {
    return this.#owned !== undefined && !this.#owned.lost.signal.aborted
  }

  #requireOwned(): Ownership {
    if (this.#owned !== undefined) return this.#owned
    throw new FleetError('not_stored', `The ${this.name} is not open for writing. Open it first.`)
  }

  #inboxParts() {
    const { disk, clock } = this.#parts
    return { disk, clock, folder: this.#layout.inbox, unique: this.#unique }
  }

  readonly #unique = () => `${this.#parts.host.self().pid}-${this.#parts.ids.next('t')}`
}
