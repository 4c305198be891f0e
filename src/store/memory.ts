import { FleetError } from '../protocol/errors.ts'
import { reservedId } from '../protocol/ids.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type {
  Batch,
  InboxItem,
  RunClaim,
  RunRow,
  Snapshot,
  SnapshotRecord,
  SnapshotSource,
  Store,
  StoredEntry,
  StoreOpening,
  StoreOwner,
} from '../ports/store.ts'
import { Bell } from './bell.ts'
import { memoryBlobs } from './memory-blobs.ts'
import type { AppendFate } from './memory-commit.ts'
import { MemoryCommit } from './memory-commit.ts'
import { MemoryInbox } from './memory-inbox.ts'
import { MemoryRuns } from './memory-runs.ts'
import { hasEnded, listRows } from './row-list.ts'

export interface MemoryStoreParts {
  readonly clock: Clock
  readonly ids: Ids
  /** Ended runs beyond this many are forgotten, those that ended first at first. Default 1,000. */
  readonly keepEndedRuns?: number
  /** Decides what becomes of each group of batches, and when: for tests of what happens before something is durable (CO1). */
  readonly beforeAppend?: (batches: readonly Batch[]) => AppendFate | Promise<AppendFate>
}

/** A store whose contents live as long as the process. */
export interface MemoryStore extends Store {
  /**
   * Ends the owner as a crash would: what is not durable is lost, claims are lost, nothing is flushed, and the store is free. Appends
   * that wait reject `store_conflict`, and so does every later one until this object is opened again.
   */
  crash(): void
  /** Another store on the same contents, as another process, or the next one, would have it. */
  peer(): MemoryStore
  /** Every durable entry of a run, as text. */
  lines(run: string): readonly string[]
}

/** What all stores on the same contents share. */
interface Contents {
  readonly storeId: string
  readonly runs: MemoryRuns
  readonly inbox: MemoryInbox
  readonly blobs: Blobs
  readonly snapshots: Map<string, KeptSnapshot>
  readonly changed: Bell
  epoch: number
  owner: Ownership | undefined
}

/** The records of a snapshot as text, shard by shard. */
interface KeptSnapshot {
  readonly seq: number
  readonly shards: readonly { readonly seq: number; readonly text: string }[]
}

interface Ownership {
  readonly record: StoreOwner
  readonly commit: MemoryCommit
  readonly granted: Set<string>
  readonly lost: AbortController
  readonly ended: AbortController
}

/** A store in memory: the same contract as every other, without a disk. */
export function createMemoryStore(parts: MemoryStoreParts): MemoryStore {
  return new StoreInMemory(parts, {
    storeId: parts.ids.next('store'),
    runs: new MemoryRuns(parts.keepEndedRuns ?? 1000),
    inbox: new MemoryInbox(parts.clock),
    blobs: memoryBlobs(),
    snapshots: new Map(),
    changed: new Bell(),
    epoch: 0,
    owner: undefined,
  })
}

class StoreInMemory implements MemoryStore {
  readonly name = 'memory store'
  readonly folder = undefined
  readonly blobs: Blobs
  readonly #parts: MemoryStoreParts
  readonly #contents: Contents
  #owned: Ownership | undefined
  #closing: Promise<void> | undefined
  #hasCrashed = false

  constructor(parts: MemoryStoreParts, contents: Contents) {
    this.#parts = parts
    this.#contents = contents
    this.blobs = contents.blobs
  }

  async open({ instance, waitMs = 0, signal }: Parameters<Store['open']>[0]): Promise<StoreOpening> {
    const contents = this.#contents
    await this.#closing
    await this.#ownerGone(waitMs, signal)
    if (contents.owner !== undefined) throw ownedError(contents.owner.record)
    contents.epoch += 1
    this.#hasCrashed = false
    const { epoch, runs, storeId } = contents
    this.#owned = {
      record: { instance, epoch, host: 'this process', pid: 0, since: this.#parts.clock.now(), alive: true },
      commit: new MemoryCommit(
        runs,
        this.#parts.beforeAppend ?? (() => 'store'),
        () => this.#onDurable(),
        () => this.#parts.clock.turn(),
      ),
      granted: new Set(),
      lost: new AbortController(),
      ended: new AbortController(),
    }
    contents.owner = this.#owned
    return { storeId, epoch, warnings: [] }
  }

  async *claim({ runs: wanted, signal }: Parameters<Store['claim']>[0]): AsyncGenerator<RunClaim> {
    const { granted, lost, ended } = this.#requireOwned()
    const { runs, epoch } = this.#contents
    const open = runs
      .names()
      .filter((run) => run !== reservedId && !hasEnded(runs.row(run)) && (wanted === undefined || wanted.includes(run)))
    for (const run of [reservedId, ...open]) {
      if (signal?.aborted === true || ended.signal.aborted) return
      if (granted.has(run)) continue
      granted.add(run)
      yield { run, epoch, lost: lost.signal, release: () => Promise.resolve(void granted.delete(run)) }
    }
  }

  async append(batches: readonly Batch[]): Promise<void> {
    const { commit, granted } = this.#requireOwned()
    await commit.append(batches)
    for (const { run, after } of batches) if (after === 0) granted.add(run)
  }

  async read(run: string, { from, limit }: Parameters<Store['read']>[1]): Promise<readonly StoredEntry[]> {
    return this.#contents.runs.read(run, from, limit).map((text) => JSON.parse(text) as StoredEntry)
  }

  async last(run: string): Promise<number> {
    return this.#contents.runs.seq(run)
  }

  lines(run: string): readonly string[] {
    return this.#contents.runs.read(run, 1, Number.MAX_SAFE_INTEGER)
  }

  async loadSnapshot(run: string): Promise<Snapshot | undefined> {
    const kept = this.#contents.snapshots.get(run)
    if (kept === undefined) return undefined
    const records: SnapshotRecord[] = []
    for (const { text } of kept.shards) {
      for (const record of JSON.parse(text) as SnapshotRecord[]) records.push(record)
      await this.#parts.clock.turn()
    }
    return { seq: kept.seq, records }
  }

  /** A shard whose last entry was in the snapshot before is what it was: that one was of durable entries too. */
  async saveSnapshot(run: string, { seq, shards, through }: SnapshotSource): Promise<void> {
    const owned = this.#requireOwned()
    const before = this.#contents.snapshots.get(run)?.shards ?? []
    const kept: KeptSnapshot['shards'][number][] = []
    for (const shard of shards) {
      const same = before[kept.length]
      kept.push(same?.seq === shard.seq ? same : { seq: shard.seq, text: JSON.stringify(shard.records()) })
      await this.#parts.clock.turn()
    }
    if ((await through()) === undefined || this.#owned !== owned || this.#contents.runs.removed(run)) return
    this.#contents.snapshots.set(run, { seq, shards: kept })
  }

  async *watch(run: string, { from, signal }: Parameters<Store['watch']>[1]): AsyncGenerator<number> {
    const { runs, changed } = this.#contents
    let last = from
    while (!signal.aborted) {
      if (runs.seq(run) > last) yield (last = runs.seq(run))
      else await changed.wait(signal)
    }
  }

  async runs(query?: Parameters<Store['runs']>[0]): Promise<readonly RunRow[]> {
    return listRows(this.#contents.runs.rows(), query)
  }

  async row(query: Parameters<Store['row']>[0]): Promise<RunRow | undefined> {
    const { runs } = this.#contents
    const run = 'id' in query ? query.id : runs.keyHolder(query.key)
    return run === undefined ? undefined : runs.row(run)
  }

  post(...[command, options]: Parameters<Store['post']>): ReturnType<Store['post']> {
    return this.#contents.inbox.post(command, options)
  }

  async *inbox({ signal }: Parameters<Store['inbox']>[0]): AsyncGenerator<InboxItem> {
    const { ended } = this.#requireOwned()
    yield* this.#contents.inbox.take(AbortSignal.any([signal, ended.signal]))
  }

  async remove(run: string): Promise<void> {
    await this.#requireOwned().commit.remove(run)
    await this.#forget(run)
  }

  async owner(): Promise<StoreOwner | undefined> {
    return this.#contents.owner?.record
  }

  close(): Promise<void> {
    this.#closing ??= (this.#owned?.commit.idle() ?? Promise.resolve()).then(() => {
      this.#leave()
      this.#closing = undefined
    })
    return this.#closing
  }

  crash(): void {
    if (this.#owned === undefined) return
    this.#hasCrashed = true
    this.#owned.commit.drop()
    this.#owned.lost.abort()
    this.#leave()
  }

  peer(): MemoryStore {
    return new StoreInMemory(this.#parts, this.#contents)
  }

  #leave(): void {
    if (this.#owned === undefined) return
    this.#owned.ended.abort()
    this.#owned = undefined
    this.#contents.owner = undefined
    this.#contents.inbox.giveBack()
  }

  #onDurable(): void {
    // Forgetting in memory needs no wait.
    for (const run of this.#contents.runs.forgetEnded()) void this.#forget(run)
    this.#contents.changed.ring()
  }

  #forget(run: string): Promise<void> {
    this.#contents.snapshots.delete(run)
    return this.#contents.blobs.remove(run)
  }

  async #ownerGone(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#parts
    const until = clock.monotonic() + waitMs
    for (let owner = this.#contents.owner; owner !== undefined && clock.monotonic() < until; owner = this.#contents.owner) {
      const waiting = signal === undefined ? owner.ended.signal : AbortSignal.any([owner.ended.signal, signal])
      await clock.sleep(until - clock.monotonic(), { signal: waiting })
      signal?.throwIfAborted()
    }
    signal?.throwIfAborted()
  }

  #requireOwned(): Ownership {
    if (this.#owned !== undefined) return this.#owned
    if (this.#hasCrashed)
      throw new FleetError('store_conflict', 'This memory store crashed: others may own its runs. Open it again.')
    throw new FleetError('not_stored', 'This memory store is not open for writing. Open it first.')
  }
}

function ownedError(owner: StoreOwner): FleetError {
  return new FleetError('store_owned', `The memory store is open already (${owner.instance}). Close it first.`, {
    details: { owner },
  })
}
