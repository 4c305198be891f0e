import { FleetError } from '../../protocol/errors.ts'
import { reservedId } from '../../protocol/ids.ts'
import type {
  Batch,
  EntryRange,
  InboxItem,
  RunClaim,
  RunRow,
  Snapshot,
  SnapshotSource,
  Store,
  StoreOpening,
  StoredEntry,
  StoreOwner,
} from '../../ports/store.ts'
import { Bell } from '../bell.ts'
import { notStored } from './append-error.ts'
import { diskBlobs } from './blobs.ts'
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
import type { Ownership } from './ownership.ts'
import { grantRuns } from './ownership.ts'
import { resolveChain } from './segment-chain.ts'
import { RemovedFolders } from './removed-folders.ts'
import { RunLookup } from './run-lookup.ts'
import { SegmentRetention } from './segment-retention.ts'
import { Snapshots } from './snapshot.ts'
import type { JsonStoreParts } from './store-parts.ts'
import { completeParts } from './store-parts.ts'
import { StoreReading } from './store-reading.ts'

/** A store in a folder of JSON files that a person can read (ST2). */
export function createJsonStore(parts: JsonStoreParts): Store {
  return new JsonStore(parts)
}

class JsonStore implements Store {
  readonly name: string
  readonly blobs: Store['blobs']
  readonly folder: string
  readonly home: string
  readonly recordings: string
  readonly #parts: Required<JsonStoreParts>
  readonly #layout: Layout
  readonly #reader: JournalReader
  readonly #index: IndexDocument
  readonly #runs: RunLookup
  readonly #reading: StoreReading
  readonly #snapshots: Snapshots
  readonly #grown = new Bell()
  readonly #folders: RemovedFolders
  readonly #retention: SegmentRetention
  readonly #former = new Set<string>()
  #owned: Ownership | undefined
  #opening: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined
  #closing: Promise<void> | undefined

  constructor(parts: JsonStoreParts) {
    this.#parts = completeParts(parts)
    const { name, folder, home, recordings } = this.#parts.facts
    this.#layout = layoutOf(home)
    this.name = name
    this.folder = folder
    this.home = home
    this.recordings = recordings
    const { disk, clock, indexDelayMs } = this.#parts
    this.blobs = diskBlobs(disk, this.#layout, this.#unique)
    this.#folders = new RemovedFolders(disk, this.#layout)
    const isBusy = (run: string) => this.#folders.isLeaving(run)
    this.#index = new IndexDocument({ disk, layout: this.#layout, clock, delayMs: indexDelayMs, unique: this.#unique, isBusy })
    this.#reader = new JournalReader(disk, this.#layout.journal, this.#parts.host, this.#index)
    this.#runs = new RunLookup(this.#reader)
    this.#reading = new StoreReading({
      name: this.name,
      journal: this.#layout.journal,
      clock,
      reader: this.#reader,
      runs: this.#runs,
      grown: this.#grown,
      writer: () => this.#writer,
    })
    const common = { disk, reader: this.#reader, unique: this.#unique }
    this.#snapshots = new Snapshots({ ...common, layout: this.#layout })
    const streamSnapshot = () => this.#loadSnapshot(reservedId)
    this.#retention = new SegmentRetention({ ...common, journal: this.#layout.journal, streamSnapshot })
  }

  async open(options: Parameters<Store['open']>[0]): Promise<StoreOpening> {
    const isLost = this.#owned?.lost.signal.aborted === true
    const isOpen = this.#owned !== undefined && !isLost && this.#closing === undefined
    if (this.#opening !== undefined || isOpen)
      throw new FleetError('store_owned', `The ${this.name} is open already, in this very process. Close it first.`)
    // Known before anything is waited for, so that whoever closes the store meanwhile ends this.
    const stop = new AbortController()
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
    const opened = this.#openAfter(isLost ? this.#closeOnce() : this.#closing, { ...options, signal })
    const quiet = () => undefined
    this.#opening = { stop, ended: opened.then(quiet, quiet) }
    try {
      return await opened
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

  async *claim(options: Parameters<Store['claim']>[0]): AsyncGenerator<RunClaim> {
    yield* grantRuns(this.#requireOwned(), this.#reader.heads, options)
  }

  async append(batches: readonly Batch[]): Promise<void> {
    const { writer, granted } = this.#requireOwned()
    if (this.#runs.isLacking(batches)) {
      const copies = structuredClone(batches)
      await this.#reader
        .load(() => false)
        .catch((cause: unknown) => {
          throw notStored(cause)
        })
      await writer.append(copies)
    } else await writer.append(batches)
    for (const { run, after } of batches) if (after === 0) granted.add(run)
  }

  async read(run: string, range: EntryRange): Promise<readonly StoredEntry[]> {
    await this.#reading.lookFor(run)
    return this.#reader.read(run, range)
  }

  async last(run: string): Promise<number> {
    await this.#reading.lookFor(run)
    return this.#reading.lastOf(run)
  }

  async loadSnapshot(run: string): Promise<Snapshot | undefined> {
    await this.#reading.lookFor(run)
    return this.#reading.lastOf(run) === 0 ? undefined : this.#loadSnapshot(run)
  }

  async saveSnapshot(run: string, snapshot: SnapshotSource): Promise<void> {
    const { writer } = this.#requireOwned()
    writer.refuseFenced()
    await this.#snapshots.save(run, snapshot)
    // Its snapshot may be all that segments were kept for.
    if (run === reservedId) await this.#giveBack()
  }

  async *watch(run: string, { from, signal }: Parameters<Store['watch']>[1]): AsyncGenerator<number> {
    yield* this.#reading.watch(run, from, signal)
  }

  async runs(query?: Parameters<Store['runs']>[0]): Promise<readonly RunRow[]> {
    await this.#reading.look()
    return this.#runs.rows(query)
  }

  async row(query: Parameters<Store['row']>[0]): Promise<RunRow | undefined> {
    await this.#reading.look()
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
    await this.#folders.remove(run, () => writer.remove(run))
    await this.#giveBack()
  }

  async owner(): Promise<StoreOwner | undefined> {
    const { disk, host } = this.#parts
    return readOwner(disk, this.#layout.journal, await resolveChain(disk, this.#layout.journal), host)
  }

  async close(): Promise<void> {
    if (this.#opening !== undefined) {
      this.#opening.stop.abort()
      await this.#opening.ended
    }
    await this.#closeOnce()
  }

  #closeOnce(): Promise<void> {
    this.#closing ??= this.#close().finally(() => (this.#closing = undefined))
    return this.#closing
  }

  /** Opens it, unless nobody wants it open any more. */
  async #openAfter(
    closing: Promise<void> | undefined,
    options: OpeningOptions & { readonly signal: AbortSignal },
  ): Promise<StoreOpening> {
    await closing
    options.signal.throwIfAborted()
    const opened = await this.#open(options)
    if (options.signal.aborted) await this.#closeOnce()
    options.signal.throwIfAborted()
    return opened
  }

  async #open(options: OpeningOptions): Promise<StoreOpening> {
    const { disk, clock, host, ids, segmentBytes, lineChars, roomBytes, folder } = this.#parts
    const { journal, inbox } = this.#layout
    const common = { disk, journal, clock, unique: this.#unique, reader: this.#reader }
    const { header, opened, warnings } = await openJournal(
      {
        ...common,
        folder,
        host,
        retention: this.#retention,
        roomBytes,
        newStoreId: () => ids.next('store'),
        former: this.#former,
        indexed: () => this.#index.known,
      },
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
    const writer = new JournalWriter({ ...common, header, opened, segmentBytes, lineChars, roomBytes, onDurable, onFenced })
    this.#owned = { writer, epoch: header.epoch, granted: new Set(), taken: new Set(), lost, ended }
    try {
      await disk.makeFolder(inbox)
      await sweepAnswers(this.#inboxParts()).catch(() => undefined)
      await this.#folders.sweep(this.#reader.heads.all())
    } catch (error) {
      await this.#close()
      throw error
    }
    return { storeId: header.store, epoch: header.epoch, warnings }
  }

  async #close(): Promise<void> {
    const owned = this.#owned
    if (owned === undefined) return
    owned.ended.abort()
    await this.#retention.idle()
    await owned.writer.close()
    if (owned.lost.signal.aborted) await this.#index.cancel()
    else await this.#index.flush(this.#reader)
    this.#owned = undefined
    this.#reader.disown()
    this.#grown.ring()
  }

  async #loadSnapshot(run: string): Promise<Snapshot | undefined> {
    return (await this.#snapshots.load(run)) ?? this.#reader.heads.get(run)?.base?.snapshot
  }

  #giveBack(): Promise<void> {
    const { writer, epoch, ended } = this.#requireOwned()
    return this.#retention.giveBack(writer, { epoch, least: this.#parts.segmentBytes / 2, signal: ended.signal })
  }

  /** The writer, while this process owns the journal. */
  get #writer(): JournalWriter | undefined {
    return this.#owned?.lost.signal.aborted === false ? this.#owned.writer : undefined
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
