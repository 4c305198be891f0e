import { expect, test, vi } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'
import { seededIds } from '../../../src/host/seeded-ids.ts'
import type { Batch, RunRow } from '../../../src/ports/store.ts'
import type { AppendFate } from '../../../src/store/memory-commit.ts'
import type { MemoryStoreParts } from '../../../src/store/memory.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'

const make = (parts: Partial<MemoryStoreParts> = {}) =>
  createMemoryStore({ clock: systemClock(), ids: seededIds('memory'), ...parts })

function batch(run: string, after: number, row?: Partial<RunRow>): Batch {
  const whole = row && { id: run, name: run, status: 'running' as const, tasks: 1, createdAt: 1, updatedAt: 1, ...row }
  return { run, after, entries: [{ seq: after + 1 }], ...(whole && { row: whole }) }
}

test.for<[AppendFate, string, number]>([
  ['refuse', 'not_stored', 1],
  ['store-then-unknown', 'outcome_unknown', 2],
  ['drop-then-unknown', 'outcome_unknown', 1],
])('CO1 an append can be made to %s', async ([fate, code, last]) => {
  const fates: AppendFate[] = ['store', fate]
  const store = make({ beforeAppend: () => fates.shift() ?? 'store' })
  await store.open({ instance: 'owner' })
  await store.append([batch('run-1', 0)])
  await expect(store.append([batch('run-1', 1)])).rejects.toMatchObject({ code })
  expect(await store.last('run-1')).toBe(last)
  await store.append([batch('run-1', last)])
  expect(await store.last('run-1')).toBe(last + 1)
})

test('CO1 what is held is not durable, and what was queued behind a refused group is refused with it', async () => {
  const held = heldFate()
  const groups: number[] = []
  const store = make({
    beforeAppend: (batches) => {
      groups.push(batches.length)
      return groups.length === 1 ? held.promise : 'store'
    },
  })
  await store.open({ instance: 'owner' })
  const first = Promise.allSettled([store.append([batch('run-1', 0)]), store.append([batch('run-2', 0)])])
  // The first group is being written.
  await vi.waitUntil(() => groups.length === 1)
  const second = Promise.allSettled([store.append([batch('run-1', 1)])])
  expect(await store.last('run-1')).toBe(0)
  held.resolve('refuse')
  expect(await first).toMatchObject([{ reason: { code: 'not_stored' } }, { reason: { code: 'not_stored' } }])
  expect(await second).toMatchObject([{ reason: { code: 'not_stored' } }])
  await store.append([batch('run-1', 0)])
  expect(groups).toEqual([2, 1])
})

test('CO1 a crash loses what is not durable, frees the store and aborts claims', async () => {
  const held = heldFate()
  const groups: Batch[][] = []
  const store = make({
    beforeAppend: (batches) => {
      groups.push([...batches])
      return groups.length === 2 ? held.promise : 'store'
    },
  })
  await store.open({ instance: 'owner' })
  const claims = []
  for await (const claim of store.claim({})) claims.push(claim)
  await store.append([batch('run-1', 0)])
  const lost = store.append([batch('run-1', 1)])
  const next = store.peer()
  await expect(next.open({ instance: 'next' })).rejects.toMatchObject({ code: 'store_owned' })
  await Promise.resolve()
  store.crash()
  await expect(lost).rejects.toMatchObject({ code: 'store_conflict' })
  held.resolve('store')
  expect(claims.map((claim) => claim.lost.aborted)).toEqual([true])
  await expect(store.append([batch('run-1', 1)])).rejects.toMatchObject({ code: 'store_conflict' })
  expect(await next.open({ instance: 'next' })).toMatchObject({ epoch: 2 })
  expect(await next.last('run-1')).toBe(1)
  await next.append([batch('run-1', 1)])
  expect(store.lines('run-1')).toEqual(['{"seq":1}', '{"seq":2}'])
})

test('CO9 ended runs beyond the retention are forgotten, those that ended first at first', async () => {
  const store = make({ keepEndedRuns: 2 })
  await store.open({ instance: 'owner' })
  for (const run of ['run-1', 'run-2', 'run-3', 'run-4']) await store.append([batch(run, 0, {})])
  for (const run of ['run-3', 'run-1', 'run-4']) await store.append([batch(run, 1, { status: 'completed' })])
  expect((await store.runs()).map(({ id }) => id)).toEqual(['run-4', 'run-2', 'run-1'])
  expect(await store.last('run-3')).toBe(0)
  await expect(store.append([batch('run-3', 0)])).rejects.toMatchObject({ code: 'run_exists' })
})

function heldFate(): { readonly promise: Promise<AppendFate>; readonly resolve: (fate: AppendFate) => void } {
  let settle: (fate: AppendFate) => void = () => undefined
  const promise = new Promise<AppendFate>((resolve) => (settle = resolve))
  return { promise, resolve: (fate) => settle(fate) }
}

test('ST7 a snapshot is taken shard by shard, with turns in between, and writes again only the shards that changed', async () => {
  const clock = systemClock()
  let turns = 0
  const store = make({ clock: { ...clock, turn: () => ((turns += 1), clock.turn()) } })
  await store.open({ instance: 'owner' })
  await store.append([batch('run-1', 0)])
  const asked: number[] = []
  const taken = (seqs: readonly number[]) => ({
    seq: Math.max(...seqs),
    shards: seqs.map((seq, place) => ({
      seq,
      records: () => {
        asked.push(place)
        return [{ key: `task:${place}`, seq, value: { place } }]
      },
    })),
    through: () => Promise.resolve(9),
  })
  turns = 0
  await store.saveSnapshot('run-1', taken([1, 2, 3]))
  expect([turns, asked.splice(0)]).toEqual([3, [0, 1, 2]])
  await store.saveSnapshot('run-1', taken([1, 4, 3]))
  expect(asked.splice(0)).toEqual([1])
  // One that was given up counts for nothing.
  await store.saveSnapshot('run-1', { ...taken([1, 5, 3]), through: () => Promise.resolve(undefined) })
  await store.saveSnapshot('run-1', taken([1, 5, 3]))
  expect(asked).toEqual([1, 1])
  turns = 0
  const found = await store.loadSnapshot('run-1')
  expect([found?.seq, found?.records.map(({ seq }) => seq), turns]).toEqual([5, [1, 5, 3], 3])
})
