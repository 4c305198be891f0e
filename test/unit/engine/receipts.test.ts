import { expect, test } from 'vitest'
import { dependencyResults, previousReceipts, readReceipt } from '../../../src/engine/receipts.ts'
import type { Store } from '../../../src/ports/store.ts'
import type { FleetReceipt } from '../../../src/protocol/receipt.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun, Specs } from '../../support/decided-run.ts'

const receipt = (task_id: string, evidence: string): FleetReceipt => ({
  ...{ run_id: 'r', task_id, worker_id: 'w1', completed_at: '2020-01-01T00:00:00.000Z' },
  ...{ result: 'fail', artifacts: [], evidence },
})

/** A run whose entries a store gives, one at a time, and what was read of it. */
function stored(specs: Specs): DecidedRun & { readonly store: Store; readonly reads: number[]; lost: number } {
  const bench = decidedRun(specs)
  const entries = new Map<number, unknown>()
  const reads: number[] = []
  const read = async (run: string, { from, limit }: { from: number; limit: number }) => {
    reads.push(from)
    if (run !== 'r' || limit !== 1 || from === made.lost || !entries.has(from)) return []
    return [entries.get(from)]
  }
  const decide: DecidedRun['decide'] = (by) => {
    const decided = bench.decide(by)
    for (const entry of decided) entries.set(entry.seq, entry)
    return decided
  }
  const made = { ...bench, decide, store: { read } as unknown as Store, reads, lost: 0 }
  return made
}
const end = (bench: DecidedRun, task: string, evidence: string) =>
  bench.decide(function* () {
    yield { on: 'r', kind: 'task.stepped', task, set: {}, receipt: receipt(task, evidence) }
  })

test('CO4 a receipt is read from the entry that holds it; one without, or that is gone, gives none', async () => {
  const bench = stored({ a: {} })
  const [entry] = end(bench, 'a', 'first')
  const seq = entry?.seq ?? 0
  bench.decide(function* () {
    yield { on: 'r', kind: 'task.stepped', task: 'a', set: {} }
  })
  expect(await readReceipt(bench.store, 'r', seq)).toEqual(receipt('a', 'first'))
  expect(await readReceipt(bench.store, 'r', seq + 1)).toBe(undefined)
  expect(await readReceipt(bench.store, 'r', seq + 2)).toBe(undefined)
})

test('RE5 the receipts of the attempts before come oldest first; those that cannot be read are left out', async () => {
  const bench = stored({ a: {}, b: {} })
  expect(await previousReceipts(bench.store, bench.run, bench.task('a'))).toEqual([])
  expect(bench.reads).toEqual([])
  for (const evidence of ['first', 'second', 'third']) end(bench, 'a', evidence)
  end(bench, 'b', 'other')
  const found = async () => (await previousReceipts(bench.store, bench.run, bench.task('a'))).map(({ evidence }) => evidence)
  expect(await found()).toEqual(['first', 'second', 'third'])
  bench.lost = bench.task('a').receipts[1] ?? 0
  expect(await found()).toEqual(['first', 'third'])
})

test('SC5 a task sees the latest receipt of each dependency, in the order in which it names them', async () => {
  const bench = stored({ a: {}, b: {}, c: {}, d: { depends_on: ['c', 'b', 'a'] } })
  const results = () => dependencyResults(bench.store, bench.run, bench.task('d'))
  expect(await results()).toEqual([])
  // What has no receipt is not asked for.
  expect(bench.reads).toEqual([])
  for (const [task, evidence] of [
    ['a', 'first'],
    ['a', 'last'],
    ['c', 'only'],
  ] as const)
    end(bench, task, evidence)
  expect(await results()).toEqual([
    { task_id: 'c', receipt: receipt('c', 'only') },
    { task_id: 'a', receipt: receipt('a', 'last') },
  ])
  bench.lost = bench.task('a').receipts[1] ?? 0
  expect((await results()).map(({ task_id }) => task_id)).toEqual(['c'])
  expect(await dependencyResults(bench.store, bench.run, bench.task('a'))).toEqual([])
})
