import { describe, expect, test } from 'vitest'
import type { AlertRecord } from '../../../src/engine/alert-record.ts'
import type { Entry } from '../../../src/engine/entry.ts'
import { fold } from '../../../src/engine/fold.ts'
import type { RunHeader } from '../../../src/engine/run-header.ts'
import { loadFleetStream, loadRun } from '../../../src/engine/run-loader.ts'
import { recordsOf } from '../../../src/engine/snapshot.ts'
import { createFleetState } from '../../../src/engine/state.ts'
import type { FleetState, RunState } from '../../../src/engine/state.ts'
import type { Snapshot, Store, StoredEntry } from '../../../src/ports/store.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { task } from '../../support/bench-fleet.ts'

const header: RunHeader = {
  ...{ id: 'r', name: 'r', short: 's', labels: {}, worker_specs: [], open: false, workspace: '/w', createdAt: 1 },
  ...{ max_workers: 2, budget: { max_tokens: 100 } },
}
const added = (id: string, status: 'enqueued' | 'blocked', more: Record<string, unknown> = {}) => ({
  id,
  spec: FleetTaskSpec.parse(task(id, more)),
  set: { status, enqueuedAt: 5 },
})
const alert_policy = { channels: [{ kind: 'slack', url: 'https://a.example/' }] }
const alert: AlertRecord = {
  ...{ id: 'al', class: 'stale', attempt: 1, channel: 0, status: 'owed', action: 'trigger', worker: 'w1', reason: null },
  ...{ raisedAt: 0, tries: 0, error: null, notBefore: null, notBeforeMs: null },
}
const lease = { status: 'running', attempt: 1, worker: 'w1', incarnation: 'i', leasedAt: 7 } as const
const receipt = { result: 'fail', failure_kind: 'task' } as never

/** A run with a past of every kind: what works, waits, was verified, ended and was restarted. */
const past: readonly Entry[] = (
  [
    { kind: 'run.created', created: header, taskCount: 6, run: { updatedAt: 1 } },
    {
      ...{ kind: 'tasks.added' },
      tasks: [
        added('blocked', 'blocked', { depends_on: ['works', 'ended'] }),
        added('works', 'enqueued', { concurrency_key: 'k', workspace: { writable_paths: ['src'] }, alert_policy }),
        added('ended', 'enqueued', { metadata: { long: 'text', priority: 7 }, concurrency_key: 'k2', name: 'Ended' }),
        added('waits', 'enqueued', { metadata: { priority: 4 } }),
        added('again', 'enqueued', { metadata: { long: 'text' } }),
        added('verified', 'enqueued', { concurrency_key: 'other' }),
      ],
    },
    { kind: 'run.opened', run: { opened: true, status: 'running', updatedAt: 3 }, posted: 'p1' },
    { kind: 'task.stepped', task: 'works', attempt: 1, set: lease, worker: 'w1', workerSeq: 1, events: [{ state: 'running' }] },
    { kind: 'alert.ordered', task: 'works', alerts: [{ id: 'al', set: alert }] },
    { kind: 'task.stepped', task: 'verified', attempt: 1, set: { ...lease, status: 'verifying', worker: 'w2' } },
    { kind: 'task.stepped', task: 'ended', attempt: 1, set: { ...lease, worker: 'w3' } },
    { kind: 'task.stepped', task: 'ended', attempt: 1, set: { status: 'completed', inputTokens: 9, restarts: 2 }, receipt },
    { kind: 'task.stepped', task: 'again', attempt: 1, set: { status: 'failed' }, receipt },
    { kind: 'task.stepped', task: 'again', set: { status: 'enqueued', enqueuedAt: 6 } },
    { kind: 'run.stepped', run: { updatedAt: 9 }, posted: 'p2' },
  ] satisfies Partial<Entry>[]
).map((entry, index) => ({ seq: index + 1, at: 10 + index, ...entry }))

function folded(entries: readonly Entry[] = past): { readonly state: FleetState; readonly run: RunState } {
  const state = createFleetState()
  for (const entry of entries) fold(state, 'r', entry)
  return { state, run: state.runs.get('r')! }
}

const snapshotOf = (entries: readonly Entry[]): Snapshot => {
  const { run } = folded(entries)
  return JSON.parse(JSON.stringify({ seq: run.seq, records: recordsOf(run) })) as Snapshot
}

/** What a store would give of such entries and snapshots. What was read of it is told. */
function stored(entries: readonly Entry[], snapshot?: Snapshot) {
  const reads: { readonly run: string; readonly from: number }[] = []
  const turns = { count: 0 }
  const store = {
    loadSnapshot: () => Promise.resolve(snapshot),
    read(run: string, { from, limit }: { from: number; limit: number }) {
      reads.push({ run, from })
      return Promise.resolve(entries.filter(({ seq }) => seq >= from).slice(0, limit))
    },
  } as unknown as Store
  const turn = () => ((turns.count += 1), Promise.resolve())
  return { store, clock: { ...createVirtualClock(), turn }, reads, turns }
}

/** All of a run that can be compared, but for what counts changes within one process. */
function comparable(run: RunState | undefined) {
  if (run === undefined) throw new Error('There is no run.')
  const { tasks, ready: _, requirements: __, alertPolicies, spend, snapshotSeq: ___, durableSeq: ____, ...rest } = run
  const seen = [...tasks.values()].map(({ version: _version, ...one }) => one)
  return { ...rest, tasks: seen, any: alertPolicies.any, spent: spend?.by(100) }
}

const fleetOf = ({ holdings, turns, working }: FleetState) => ({ holdings, turns, working })

describe.each([
  ['its entries', () => stored(past)],
  ['a snapshot and the entries after it', () => stored(past, snapshotOf(past.slice(0, 6)))],
  ['a snapshot alone', () => stored(past, snapshotOf(past))],
  ['a snapshot whose records are newer than its number', () => stored(past, { ...snapshotOf(past), seq: 7 })],
] as const)('a run that is read from %s', (_, source) => {
  test('CO4 is what it was: its tasks, counts, spend, alerts and waits', async () => {
    const run = await loadRun(createFleetState(), source(), 'r', true)
    // The task that was restarted has its whole spec again, as it works with it.
    const expected = folded().run
    const again = expected.tasks.get('again')!
    Object.assign(again, { spec: added('again', 'enqueued', { metadata: { long: 'text' } }).spec, isShort: false })
    expect(comparable(run)).toEqual(comparable(expected))
    expect(run?.tasks.get('ended')).toMatchObject({ isShort: true, spec: { instructions: '' } })
    // What its short spec does not say any more.
    expect(run?.tasks.get('ended')).toMatchObject({ priority: 7, gates: { key: 'k2' } })
    expect([...run!.posted]).toEqual(['p1', 'p2'])
    expect([run?.durableSeq, run?.seq]).toEqual([11, 11])
  })

  test('SC6 SC7 brings the slots and gates that its tasks hold, and its turn', async () => {
    const state = createFleetState()
    state.holdings.set('w1', 1)
    state.working = 1
    await loadRun(state, source(), 'r', true)
    expect(fleetOf(state)).toEqual({ holdings: new Map([['w1', 2]]), turns: new Set(['r']), working: 2 })
    const closed = (id: string) => [...state.gates.against(folded().run.tasks.get(id)!.gates!, 100)].map((gate) => gate.for)
    expect(closed('works')).toEqual(['key_limit', 'claim'])
    expect(closed('verified')).toEqual(['key_limit'])
  })

  test('ST11 is leased only where it is carried', async () => {
    const state = createFleetState()
    const run = await loadRun(state, source(), 'r', false)
    expect([run?.carried, state.turns.size]).toEqual([false, 0])
  })

  test('SC2 has what is enqueued in its queue', async () => {
    const state = createFleetState()
    const run = await loadRun(state, source(), 'r', true)
    const first = () => run?.ready.first(() => true, state.gates, 100)?.id
    const order: (string | undefined)[] = []
    for (let seq = 12; seq < 15; seq += 1) {
      const next = first()
      order.push(next)
      if (next !== undefined) fold(state, 'r', { seq, at: 30, kind: 'task.stepped', task: next, set: { status: 'cancelled' } })
    }
    expect(order).toEqual(['again', 'waits', undefined])
  })
})

describe('reading', () => {
  test('ST7 what came before a snapshot is not read, and its number is kept', async () => {
    const source = stored(past, snapshotOf(past.slice(0, 6)))
    const run = await loadRun(createFleetState(), source, 'r', true)
    expect(source.reads[0]).toEqual({ run: 'r', from: 7 })
    expect(run?.snapshotSeq).toBe(6)
    const whole = stored(past)
    expect((await loadRun(createFleetState(), whole, 'r', true))?.snapshotSeq).toBe(0)
    expect(whole.reads[0]).toEqual({ run: 'r', from: 1 })
  })

  test('CO1 a run that the store does not have is none, and an empty snapshot says nothing', async () => {
    const state = createFleetState()
    expect(await loadRun(state, stored([]), 'r', true)).toBeUndefined()
    expect(await loadRun(state, stored([], { seq: 4, records: [] }), 'r', true)).toBeUndefined()
    expect(state.runs.size).toBe(0)
  })

  test('ST7 entries are read 500 at a time, until there are fewer', async () => {
    const more = (count: number) =>
      [...past, ...Array.from({ length: count }, (): Entry => ({ seq: 0, at: 1, kind: 'run.stepped' }))].map((entry, index) => ({
        ...entry,
        seq: index + 1,
      }))
    const froms = async (count: number) => {
      const source = stored(more(count - past.length))
      const run = await loadRun(createFleetState(), source, 'r', true)
      expect(run?.seq).toBe(count)
      // The last one is that of the spec of the task that was restarted.
      return source.reads.map(({ from }) => from).slice(0, -1)
    }
    expect(await froms(499)).toEqual([1])
    expect(await froms(500)).toEqual([1, 501])
    expect(await froms(1_200)).toEqual([1, 501, 1_001])
  })

  test('ST7 the next entries are asked for before those that are there are folded, and not after the last', async () => {
    const steps = Array.from({ length: 1_040 }, (_, index): Entry => ({ seq: index + 12, at: 1, kind: 'run.stepped' }))
    const { store, clock } = stored([...past, ...steps])
    const done: string[] = []
    const read: Store['read'] = async (run, { from, limit }) => {
      if (limit === 500) done.push(`read ${from}`)
      const entries = await store.read(run, { from, limit })
      const [first] = entries
      return limit === 500 && first !== undefined ? [seen(first, from), ...entries.slice(1)] : entries
    }
    const seen = (entry: StoredEntry, from: number): StoredEntry =>
      new Proxy(entry, { get: (of, name) => (done.push(`fold ${from}`), Reflect.get(of, name) as unknown) })
    const run = await loadRun(createFleetState(), { store: { ...store, read }, clock }, 'r', true)
    expect(run?.seq).toBe(1_051)
    expect([...new Set(done)]).toEqual(['read 1', 'read 501', 'fold 1', 'read 1001', 'fold 501', 'fold 1001'])
  })

  test('ST1 entries that cannot be read are told when those before them are folded, and nobody is told twice', async () => {
    const steps = Array.from({ length: 1_040 }, (_, index): Entry => ({ seq: index + 12, at: 1, kind: 'run.stepped' }))
    const { store, clock } = stored([...past, ...steps])
    const read: Store['read'] = (run, page) => (page.from > 500 ? Promise.reject(new Error('unreadable')) : store.read(run, page))
    await expect(loadRun(createFleetState(), { store: { ...store, read }, clock }, 'r', true)).rejects.toThrow('unreadable')
  })

  test('ST7 restoring rests between tasks, and again between their dependencies', async () => {
    const many: readonly Entry[] = [
      past[0]!,
      { ...past[1]!, tasks: Array.from({ length: 600 }, (_, index) => added(`t${index}`, 'enqueued')) },
    ]
    const source = stored([], snapshotOf(many))
    expect((await loadRun(createFleetState(), source, 'r', true))?.tasks.size).toBe(600)
    expect(source.turns.count).toBe(4)
  })
})

describe('the stream of the fleet', () => {
  const record = (id: string, incarnation: string) => ({ id, incarnation, draining: false, retired: false })
  const entry = (seq: number, id: string, incarnation: string): Entry => ({
    ...{ seq, at: 1, kind: 'worker.registered', record: record(id, incarnation) },
  })
  const known = { seq: 4, records: ['w1', 'w2'].map((id) => ({ key: `worker:${id}`, seq: 4, value: record(id, 'old') })) }

  test('WO1 its workers take the place of what was known, as of the snapshot and the entries after it', async () => {
    const state = createFleetState()
    state.workers.set('gone', record('gone', 'x'))
    const source = stored([entry(5, 'w2', 'new'), entry(6, 'w3', 'new')], known)
    expect(await loadFleetStream(state, source)).toEqual({ seq: 6, read: 2 })
    expect(state.fleetSeq).toBe(6)
    expect([...state.workers]).toEqual([
      ['w1', record('w1', 'old')],
      ['w2', record('w2', 'new')],
      ['w3', record('w3', 'new')],
    ])
    expect(source.reads).toEqual([{ run: 'fleet', from: 5 }])
    expect(state.runs.size).toBe(0)
  })

  test('WO1 without entries it is as the snapshot has it, without either it is empty; what had to be read is counted', async () => {
    const state = createFleetState()
    expect(await loadFleetStream(state, stored([], known))).toEqual({ seq: 4, read: 0 })
    expect(await loadFleetStream(state, stored([]))).toEqual({ seq: 0, read: 0 })
    expect(state.workers.size).toBe(0)
    const entries = Array.from({ length: 250 }, (_, index) => entry(index + 1, 'w1', `i${index}`))
    expect(await loadFleetStream(state, stored(entries))).toEqual({ seq: 250, read: 250 })
  })
})
