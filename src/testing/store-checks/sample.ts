import assert from 'node:assert/strict'
import type { PostedAnswer, PostedCommand } from '../../protocol/command.ts'
import type { FleetErrorCode } from '../../protocol/errors.ts'
import { FleetError } from '../../protocol/errors.ts'
import type { Batch, RunRow, SnapshotRecord, SnapshotShard, SnapshotSource, Store, StoredEntry } from '../../ports/store.ts'

/** Rejects when a store does not do what the check's name says. */
export type StoreCheck = (context: StoreUnderTest) => Promise<void>

/** A store under test. */
export interface StoreUnderTest {
  /** Not opened. */
  readonly store: Store
  /** Another store on the same contents, not opened, as the next process, or one beside it, would have it. */
  reopen(): Promise<Store>
  /** Frees everything. */
  dispose(): Promise<void>
}

export function batch(run: string, after: number, count: number): Batch {
  return {
    run,
    after,
    entries: Array.from({ length: count }, (_, index): StoredEntry => ({ seq: after + 1 + index, kind: 'test', run })),
  }
}

export function row(id: string, changes: Partial<RunRow> = {}): RunRow {
  return { id, name: id, status: 'running', tasks: 1, createdAt: 1, updatedAt: 1, ...changes }
}

export function command(id: string): PostedCommand {
  return { id, command: { kind: 'run.pause', run_id: 'run-1' } }
}

export function answerTo({ id }: PostedCommand): PostedAnswer {
  return { ok: true, outcome: { changed: true, message: `did ${id}` } }
}

export async function seqs(store: Store, run: string, from = 1, limit = 100): Promise<readonly number[]> {
  return (await store.read(run, { from, limit })).map(({ seq }) => seq)
}

export async function claimed(store: Store, runs?: readonly string[]): Promise<string[]> {
  const names: string[] = []
  for await (const { run } of store.claim(runs === undefined ? {} : { runs })) names.push(run)
  return names
}

export async function rejects(promise: Promise<unknown>, code: FleetErrorCode): Promise<FleetError> {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  assert.ok(FleetError.is(error, code), `expected a rejection with ${code}, got ${String(error)}`)
  return error
}

/** A snapshot as a fleet hands it over, in shards of 500 records. */
export function taken(seq: number, records: readonly SnapshotRecord[], through: number | undefined = seq): SnapshotSource {
  const shards: SnapshotShard[] = []
  for (let from = 0; from < records.length; from += 500) {
    const some = records.slice(from, from + 500)
    shards.push({ seq: Math.max(...some.map((record) => record.seq)), records: () => some })
  }
  return { seq, shards, through: () => Promise.resolve(through) }
}
