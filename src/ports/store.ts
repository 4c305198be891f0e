import type { FleetRunStatus } from '../protocol/run.ts'
import type { Json, JsonObject } from '../protocol/json.ts'
import type { PostedAnswer, PostedCommand } from '../protocol/command.ts'
import type { Blobs } from './blobs.ts'

/** One durable entry of a run. The store knows its sequence and keeps the rest as it is. */
export type StoredEntry = JsonObject & { readonly seq: number }

/** What the index knows of a run, so that lists need not read runs. */
export interface RunRow {
  readonly id: string
  readonly name: string
  readonly status: FleetRunStatus
  /** The idempotency key that the run was created with, and the digest of its spec (RU2). */
  readonly key?: string
  readonly digest?: string
  readonly tasks: number
  /** The run's counters (RU7), once it has ended. */
  readonly counts?: Readonly<Record<string, number>>
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
  /** How much of it is still to be done outside, alerts to be delivered for instance, though it may have ended (CO5, RU8). */
  readonly unsettled?: number
  readonly completedAt?: number
}

/** Entries of one run, to be stored whole or not at all. */
export interface Batch {
  readonly run: string
  /** The sequence that the run must be at: 0 creates it. Another one is a `store_conflict`. */
  readonly after: number
  /** Dense, from `after + 1`. */
  readonly entries: readonly StoredEntry[]
  /** The run's row, when it changed. The reserved stream `fleet` has none. */
  readonly row?: RunRow
}

/** One record of a run's state. The fold of entries ignores what is not newer than `seq`. */
export interface SnapshotRecord {
  readonly key: string
  /** Sequence of the entry that last set the record. */
  readonly seq: number
  readonly value: Json
}

/** A run's state: folding the entries after `seq` into it gives the present. Some of its records may be newer than `seq`. They keep their order. */
export interface Snapshot {
  readonly seq: number
  readonly records: readonly SnapshotRecord[]
}

/** Some of a snapshot's records, always the same ones at the same place. */
export interface SnapshotShard {
  /** The highest sequence among its records: a shard of the same place and sequence holds what it held before. */
  readonly seq: number
  /** The records as they are now; not asked for when the store has the shard already. */
  records(): readonly SnapshotRecord[]
}

/**
 * A snapshot that is taken while the run goes on: shards are asked for one after the other, with other work between them, so a record
 * may be newer than `seq`, never older.
 */
export interface SnapshotSource {
  readonly seq: number
  readonly shards: Iterable<SnapshotShard>
  /**
   * Asked once every shard was taken. Resolves with the highest sequence that any record may hold, once that is durable; undefined
   * when some of it never will be: then the snapshot is dropped, and the one before it stays.
   */
  through(): Promise<number | undefined>
}

/** Entries of one run to be read. */
export interface EntryRange {
  readonly from: number
  readonly limit: number
  /** Default false. */
  readonly mayShare?: boolean
}

/** Ownership of one run. */
export interface RunClaim {
  readonly run: string
  readonly epoch: number
  /** Aborts when another owner took the run over. */
  readonly lost: AbortSignal
  /** Gives the run up, so that another fleet may claim it. */
  release(): Promise<void>
}

/** Who owns a store, as another process sees it. */
export interface StoreOwner {
  readonly instance: string
  readonly epoch: number
  readonly host: string
  readonly pid: number
  /** Epoch milliseconds. */
  readonly since: number
  /** False when its process is known to be gone; undefined when that cannot be known from here. */
  readonly alive: boolean | undefined
}

/** What opening a store for writing gives. */
export interface StoreOpening {
  /** The store's own id, the same for its whole life. */
  readonly storeId: string
  readonly epoch: number
  /** What was found and mended, as sentences for a person: a torn tail that was cut, for instance (ST4). */
  readonly warnings: readonly string[]
}

/** A command from another process, to be answered once (ST10). */
export interface InboxItem {
  readonly command: PostedCommand
  answer(answer: PostedAnswer): Promise<void>
}

/**
 * Where runs live. A run is the unit of order, ownership and history: its entries have one sequence and one owner at a time.
 * Reading needs no ownership and creates nothing. Every implementation passes `storeContract` of `flotilla/testing` (ST9).
 */
export interface Store {
  /** For messages: `memory store`, `json store in .flotilla`. */
  readonly name: string
  readonly blobs: Blobs
  /**
   * Absolute path of the folder of runs: an attempt works in `<folder>/<run>/attempts/<task>/<attempt>`; what lies beside `attempts` is
   * the store's own. Undefined for a store that has no folder.
   */
  readonly folder: string | undefined
  /** Absolute path of the folder that all of the store lies in: no sandbox is shown it. Default: `folder`. */
  readonly home?: string
  /** Absolute path of the folder that recordings of its fleets go into. Without one they stay in memory. */
  readonly recordings?: string

  /**
   * Becomes the writer (ST6). Rejects `store_owned` with the owner named when another one is alive, or cannot be checked;
   * `waitMs` waits for it first; `takeOver` overrules what cannot be checked. Rejects `store_too_new`, `store_damaged`.
   */
  open(options: {
    readonly instance: string
    readonly waitMs?: number
    readonly takeOver?: boolean
    readonly signal?: AbortSignal
  }): Promise<StoreOpening>

  /**
   * Grants the runs that have not ended, or of which something is unsettled (of those named, when some are), and the reserved stream. Ends when there is nothing more to
   * grant to this owner. Runs that it creates itself are its own without a claim.
   */
  claim(options: { readonly runs?: readonly string[]; readonly signal?: AbortSignal }): AsyncIterable<RunClaim>

  /**
   * Stores batches durably, each whole or not at all, in one turn of the disk where it can. Resolves when all survive a power loss
   * (ST1). Rejects `not_stored` (nothing is), `outcome_unknown` (read to learn), `store_conflict` (fenced, or `after` is not the
   * run's sequence), `run_exists` (creating an id that is or was there).
   */
  append(batches: readonly Batch[]): Promise<void>

  /**
   * At most `limit` durable entries of a run from sequence `from` on, fewer only at its end. A range that reaches a gap rejects
   * `store_damaged` naming file, line and byte; `details.readableTo` is the last entry before it (ST4). They are the caller's own. Whoever
   * allows that they share parts with one another, which is quicker, changes nothing in them while it reads on.
   */
  read(run: string, options: EntryRange): Promise<readonly StoredEntry[]>

  /** The run's last durable sequence; 0 when the store has none of it. */
  last(run: string): Promise<number>

  loadSnapshot(run: string): Promise<Snapshot | undefined>
  /** Replaces the run's snapshot, whole or not at all, without holding up appends. One at a time for each run. */
  saveSnapshot(run: string, snapshot: SnapshotSource): Promise<void>

  /** Yields the run's last durable sequence whenever it has grown past `from`, until `signal` aborts. */
  watch(run: string, options: { readonly from: number; readonly signal: AbortSignal }): AsyncIterable<number>

  /** Rows, newest first. */
  runs(query?: { readonly status?: readonly FleetRunStatus[]; readonly limit?: number }): Promise<readonly RunRow[]>
  row(query: { readonly id: string } | { readonly key: string }): Promise<RunRow | undefined>

  /** Hands a command to the owner and waits for its answer; undefined when it was not taken within `waitMs` (it stays posted). */
  post(
    command: PostedCommand,
    options: { readonly waitMs: number; readonly signal?: AbortSignal },
  ): Promise<PostedAnswer | undefined>
  /** Commands posted to this owner, each once, until `signal` aborts. */
  inbox(options: { readonly signal: AbortSignal }): AsyncIterable<InboxItem>

  /** Deletes an ended run, leaving a tombstone so that its id is not used again (RU8). */
  remove(run: string): Promise<void>
  /** The present owner, when there is one. */
  owner(): Promise<StoreOwner | undefined>
  /** Flushes, gives up ownership, frees everything. Closing twice is safe. A closed store may be opened again. */
  close(): Promise<void>
}
