import type { Store, StoredEntry } from '../ports/store.ts'
import { reservedId } from '../protocol/ids.ts'

const pageSize = 2_000

/** Every durable entry of a store, one line of JSON each: the fleet's own stream, then the runs in the order of their creation. */
export async function journalOf(store: Store): Promise<Uint8Array> {
  const lines: string[] = []
  const rows = (await store.runs()).toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
  for (const run of [reservedId, ...rows.map(({ id }) => id)])
    for await (const entry of entriesOf(store, run, 1)) lines.push(JSON.stringify({ run, entry }))
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''))
}

/** The durable entries of a run from a sequence on. */
export async function* entriesOf(store: Store, run: string, from: number): AsyncGenerator<StoredEntry> {
  for (let next = from; ; next += pageSize) {
    const page = await store.read(run, { from: next, limit: pageSize })
    yield* page
    if (page.length < pageSize) return
  }
}
