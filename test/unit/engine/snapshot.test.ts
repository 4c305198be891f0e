import { expect, test } from 'vitest'
import { just } from '../../../src/engine/entry.ts'
import { fleetSnapshotSource, recordsOf, snapshotSource } from '../../../src/engine/snapshot.ts'
import { decidedRun } from '../../support/decided-run.ts'

const through = () => Promise.resolve(7)
const specs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, {}]))

test('ST2 a run is a record of its own, and its tasks follow in their order, in shards of five hundred records', () => {
  const { run } = decidedRun(specs(1_001))
  const source = snapshotSource(run, through)
  expect(source.seq).toBe(run.seq)
  expect(source.through).toBe(through)
  const shards = [...source.shards].map((shard) => shard.records().map(({ key }) => key))
  expect(shards.map((keys) => keys.length)).toEqual([1, 500, 500, 4])
  expect(shards.map(([first]) => first)).toEqual(['run', 'common:t0', 'common:t499', 'common:t998'])
  const keys = shards.flatMap(([, ...tasks]) => tasks)
  expect(keys).toEqual(Object.keys(specs(1_001)).map((id) => `task:${id}`))
  expect(recordsOf(run).map(({ key }) => key)).toEqual(shards.flat())
  expect([...snapshotSource(decidedRun(specs(499)).run, through).shards]).toHaveLength(2)
  expect([...snapshotSource(decidedRun({}).run, through).shards]).toHaveLength(1)
})

test('ST2 a record names the entry that set it last, and a shard the latest of its records', () => {
  const { run, set } = decidedRun(specs(500))
  const before = run.seq
  set('t1', { stale: true })
  set('t0', { stale: true })
  set('t2', { stale: true })
  const [own, first, second] = [...snapshotSource(run, through).shards]
  expect([own?.seq, first?.seq, second?.seq]).toEqual([before + 3, before + 3, 2])
  expect(own?.records().map(({ seq }) => seq)).toEqual([before + 3])
  expect(
    first
      ?.records()
      .slice(0, 5)
      .map(({ seq }) => seq),
  ).toEqual([before + 3, before + 2, before + 1, before + 3, 2])
})

test('ST2 shards are taken while the run goes on: each holds what there is when it is asked for', () => {
  const { run, set, decide } = decidedRun(specs(2))
  const shards = [...snapshotSource(run, through).shards]
  set('t1', { failures: 3 })
  decide(() => just({ on: 'r', kind: 'run.sealed', run: { sealed: true, status: 'paused' } }))
  expect(shards[0]?.records()[0]).toMatchObject({ seq: run.seq, value: { status: 'paused' } })
  expect(shards[1]?.records()[2]).toMatchObject({ key: 'task:t1', value: { failures: 3 } })
})

test('CO4 a record of a run holds the fields that entries change, and a spent budget only where there is one', () => {
  const { run, decide, clock } = decidedRun({ a: {} })
  const value = () => recordsOf(run)[0]?.value as object
  decide(() => just({ on: 'r', kind: 'run.stepped', run: { updatedAt: 5, completedAt: 6 }, posted: 'p1' }))
  expect(value()).toEqual({
    ...{ header: run.header, status: 'queued', pausedFrom: null, updatedAt: 5, completedAt: 6, opened: true, sealed: true },
    ...{ lastAt: clock.now(), posted: ['p1'] },
  })
  const overBudget = { limit: 'max_tokens', reason: 'It is spent.' } as const
  decide(() => just({ on: 'r', kind: 'run.over_budget', run: { overBudget } }))
  expect(value()).toMatchObject({ overBudget })
})

test('CO9 in front of tasks stands what the first has and a new one has not, and each says what it has otherwise, and its spec', () => {
  const { run, task, set, clock } = decidedRun({
    a: {},
    b: { depends_on: ['a'], alert_policy: { channels: [{ kind: 'slack', url: 'https://a.example/' }] } },
    c: {},
  })
  set('a', { failures: 2, cause: 'no' })
  const [, common, a, b, c] = recordsOf(run)
  expect(common).toEqual({
    ...{ key: 'common:a', seq: a?.seq },
    value: { addedBy: 2, enqueuedAt: clock.now(), fleetSeq: 1, status: 'enqueued', failures: 2, cause: 'no' },
  })
  expect(a).toEqual({ key: 'task:a', seq: 5, value: { spec: { instructions: 'Do a.' } } })
  expect(b?.value).toEqual({
    spec: task('b').spec,
    ...{ fleetSeq: 0, status: 'blocked', failures: 0, cause: null },
  })
  expect(c?.value).toEqual({ spec: { instructions: 'Do c.' }, failures: 0, cause: null })
})

test('CO9 lists and objects are said of each task that has them, the first included', () => {
  const { run, set, decide } = decidedRun({ a: {}, b: {} })
  set('a', { heard: { attempt: 1, seq: 2 } })
  decide(() => just({ on: 'r', kind: 'task.stepped', task: 'a', receipt: { result: 'pass' } as never }))
  const [, common, a, b] = recordsOf(run)
  expect(common?.value).not.toHaveProperty('heard')
  expect(common?.value).not.toHaveProperty('receipts')
  expect(a?.value).toMatchObject({ heard: { attempt: 1, seq: 2 }, receipts: [run.seq] })
  expect(b?.value).not.toHaveProperty('heard')
  expect(b?.value).not.toHaveProperty('receipts')
})

test('EV1 the sequences of workers are kept by their ids', () => {
  const { run, decide } = decidedRun({ a: {} })
  decide(() => just({ on: 'r', kind: 'task.reported', task: 'a', worker: 'w1', workerSeq: 4, events: [{ state: 'running' }] }))
  expect(recordsOf(run)[2]?.value).toMatchObject({ workerSeqs: { w1: 4 } })
})

test('ST7 the stream of the fleet is one shard: its workers, as of its last entry', async () => {
  const { state, decide } = decidedRun({ a: {} })
  const record = { id: 'w1', incarnation: 'i', draining: true, retired: false }
  decide(() => just({ on: 'fleet', kind: 'worker.registered', record }))
  state.fleetSeq = 9
  const source = fleetSnapshotSource(state, through)
  const shards = [...source.shards]
  expect([source.seq, shards.length, shards[0]?.seq, await source.through()]).toEqual([9, 1, 9, 7])
  expect(shards[0]?.records()).toEqual([{ key: 'worker:w1', seq: 9, value: record }])
})
