import { expect, test } from 'vitest'
import type { AlertRecord } from '../../../src/engine/alert-record.ts'
import type { Changes, Entry } from '../../../src/engine/entry.ts'
import { adopt, fold, forget, restoreTask } from '../../../src/engine/fold.ts'
import { createFleetState, createRunState, createTaskState } from '../../../src/engine/state.ts'
import type { FleetState, RunState, TaskState } from '../../../src/engine/state.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun } from '../../support/decided-run.ts'

const artifact = (uri: string) => ({ kind: 'log', uri }) as never
const say = (bench: DecidedRun, more: Partial<Entry>) =>
  bench.decide(function* (_, run) {
    yield { on: run.header.id, kind: 'task.reported', task: 'a', ...more }
  })
const other = { workspace: { writable_paths: ['docs'] } }
const claim = { workspace: { writable_paths: ['src'] } }
/** Whether a task could be leased beside what is held now. */
const isFree = (state: FleetState, task: TaskState, now = 0) =>
  task.gates === null || state.gates.against(task.gates, now).next().done === true

test('CO4 what is derived from a task is kept in step: slots, holdings, counts, and the turn of its run', () => {
  const bench = decidedRun({ a: {}, b: {} })
  const seen = () => {
    const { run, state } = bench
    return [
      run.working,
      state.working,
      Object.fromEntries(state.holdings),
      run.counts.enqueued,
      run.counts.running,
      state.turns.size,
    ]
  }
  expect(seen()).toEqual([0, 0, {}, 2, 0, 1])
  bench.lease('a')
  expect(seen()).toEqual([1, 1, { w1: 1 }, 1, 1, 1])
  bench.lease('b')
  expect(seen()).toEqual([2, 2, { w1: 2 }, 0, 2, 0])
  bench.set('a', { status: 'verifying' })
  expect(seen()).toEqual([1, 1, { w1: 1 }, 0, 1, 0])
  bench.set('b', { status: 'enqueued' })
  expect(seen()).toEqual([0, 0, {}, 1, 0, 1])
  expect([...bench.run.workers]).toEqual(['w1'])
  expect(bench.run.counts).toMatchObject({ blocked: 0, verifying: 1, enqueued: 1 })
})

test('CO4 an entry that is older than what a record holds changes nothing, and one of a run that is not there neither', () => {
  const bench = decidedRun({ a: {} })
  const old: Entry = { seq: 1, at: 0, kind: 'task.stepped', task: 'a', set: { status: 'failed' } }
  fold(bench.state, 'r', old)
  fold(bench.state, 'r', { ...old, seq: bench.task('a').seq })
  fold(bench.state, 'none', { ...old, seq: 99 })
  fold(bench.state, 'r', { ...old, seq: 99, task: 'none' })
  expect(bench.task('a').status).toBe('enqueued')
  expect([...bench.state.runs.keys()]).toEqual(['r'])
  fold(bench.state, 'r', { ...old, seq: 100 })
  expect(bench.task('a')).toMatchObject({ status: 'failed', seq: 100 })
  expect(bench.run).toMatchObject({ seq: 100, lastAt: 0 })
})

test('CO4 a task that a snapshot held already is not added again', () => {
  const bench = decidedRun({ a: {} })
  bench.lease('a')
  const spec = FleetTaskSpec.parse({ id: 'a', name: 'other', instructions: 'i' })
  say(bench, { task: undefined, kind: 'tasks.added', tasks: [{ id: 'a', spec, set: { status: 'enqueued' } }] })
  expect(bench.task('a')).toMatchObject({ status: 'running', spec: { name: 'a' } })
  expect([bench.run.tasks.size, bench.run.working]).toEqual([1, 1])
})

test('WO1 the stream of the fleet keeps its workers, and touches no run', () => {
  const { state, run } = decidedRun({ a: {} })
  const record = { id: 'w', incarnation: 'i', draining: false, retired: false }
  const { seq } = run
  fold(state, 'fleet', { seq: 7, at: 0, kind: 'worker.registered', record })
  fold(state, 'fleet', { seq: 8, at: 0, kind: 'worker.registered' })
  expect([state.fleetSeq, [...state.workers.values()], run.seq]).toEqual([8, [record], seq])
})

test('EV1 a task that is queued at once has its first event with it; others have none', () => {
  const { task } = decidedRun({ a: {}, b: { depends_on: ['a'] } })
  expect([task('a').fleetSeq, task('b').fleetSeq]).toEqual([1, 0])
})

test('SC5 dependencies are counted when all tasks of an entry are there, and with each that is satisfied or is not any more', () => {
  const bench = decidedRun({ late: { depends_on: ['a', 'b', 'none'] }, a: {}, b: {} })
  const open = () => bench.task('late').openDependencies
  expect(open()).toBe(3)
  bench.set('a', { status: 'completed' })
  expect(open()).toBe(2)
  bench.set('a', { status: 'enqueued' })
  expect(open()).toBe(3)
  say(bench, { task: 'b', set: { status: 'completed', undecided: true }, receipt: { result: 'partial' } as never })
  expect(open()).toBe(3)
  say(bench, { task: 'b', set: { settled: true } })
  expect(open()).toBe(2)
})

test('CO4 AR1 artifacts are those of the live attempt; a later one begins without', () => {
  const bench = decidedRun({ a: {} })
  bench.lease('a')
  const report = (attempt: number | undefined, uri: string) =>
    say(bench, {
      attempt,
      worker: 'w1',
      workerSeq: 1,
      events: [{ state: 'running' }, { state: 'artifact', ...(artifact(uri) as object) } as never],
    })
  report(1, 'one')
  report(undefined, 'two')
  report(9, 'of another')
  expect(bench.task('a').artifacts).toEqual([artifact('one'), artifact('two')])
  bench.set('a', { status: 'enqueued' })
  expect(bench.task('a').artifacts).toHaveLength(2)
  bench.lease('a')
  expect(bench.task('a').artifacts).toEqual([])
})

test('EV1 sequences of events are kept for each reporter', () => {
  const bench = decidedRun({ a: {} })
  const events = [{ state: 'running' }, { state: 'model_wait' }] as never
  say(bench, { worker: 'w1', workerSeq: 4, events })
  say(bench, { worker: 'w2', workerSeq: 1, events })
  say(bench, { worker: 'fleet', workerSeq: 2, events })
  for (const part of [
    { worker: 'w1', events },
    { workerSeq: 9, events },
    { worker: 'w1', workerSeq: 9 },
  ])
    say(bench, part)
  expect(bench.task('a').fleetSeq).toBe(3)
  expect(bench.task('a').workerSeqs).toEqual([
    ['w1', 5],
    ['w2', 2],
  ])
})

test('CO9 VE6 of its receipts a task keeps the sequences, and the result and kind of failure of the last', () => {
  const bench = decidedRun({ a: {} })
  const [one] = say(bench, { receipt: { result: 'fail', failure_kind: 'task' } as never })
  const [two] = say(bench, { receipt: { result: 'pass' } as never })
  expect(bench.task('a')).toMatchObject({ receipts: [one?.seq, two?.seq], result: 'pass', failureKind: null })
})

test('CO9 a task that ended has a short spec, and one that is tried again keeps it until it is given back', () => {
  const bench = decidedRun({ a: { description: 'long' } })
  const { version } = bench.task('a')
  bench.set('a', { status: 'failed' })
  expect(bench.task('a')).toMatchObject({ isShort: true, spec: { instructions: '' }, version: version + 1 })
  bench.set('a', { failures: 3 })
  expect(bench.task('a').version).toBe(version + 1)
  bench.set('a', { enqueuedAt: 5 })
  expect(bench.task('a').version).toBe(version + 2)
})

test('SC2 a run takes turns while it is carried, opened and at work, has something queued, and room for it', () => {
  const bench = decidedRun({ a: {}, b: {} }, { header: { max_workers: 1 } })
  const takesTurns = () => bench.state.turns.has('r')
  expect(takesTurns()).toBe(true)
  bench.lease('a')
  expect(takesTurns()).toBe(false)
  bench.set('a', { status: 'completed' })
  expect(takesTurns()).toBe(true)
  const step = (set: Partial<RunState>) => say(bench, { task: undefined, kind: 'run.stepped', run: set })
  step({ status: 'paused' })
  expect(takesTurns()).toBe(false)
  step({ status: 'running' })
  expect(takesTurns()).toBe(true)
  step({ opened: false })
  expect(takesTurns()).toBe(false)
  step({ opened: true })
  bench.run.carried = false
  step({ status: 'queued' })
  expect(takesTurns()).toBe(false)
})

test('ST10 the newest 256 posted commands are remembered', () => {
  const bench = decidedRun({ a: {} })
  for (let index = 0; index < 300; index += 1) say(bench, { posted: `p${index}` })
  const posted = [...bench.run.posted]
  expect([posted.length, posted[0], posted.at(-1)]).toEqual([256, 'p44', 'p299'])
})

test('AL2 RU8 alerts that are owed are counted, and those that are settled no more', () => {
  const bench = decidedRun({ a: {} })
  const change = (id: string, set: Partial<AlertRecord> | null) => {
    say(bench, { alerts: [{ id, set }] })
    return [bench.run.unsettled, bench.task('a').alerts.length]
  }
  const held = { id: 'x', status: 'held', notBefore: null } as AlertRecord
  expect(change('x', held)).toEqual([0, 1])
  expect(change('x', { notBefore: 5 })).toEqual([1, 1])
  expect(change('y', { ...held, id: 'y', status: 'owed' })).toEqual([2, 2])
  expect(change('y', { status: 'sent' })).toEqual([1, 2])
  expect(change('x', null)).toEqual([0, 1])
})

test('SC7 a lease holds the claims of its task from its beginning to its verdict, and no longer', () => {
  const bench = decidedRun({ a: claim, b: claim })
  const free = () => isFree(bench.state, bench.task('b'))
  expect(free()).toBe(true)
  bench.lease('a')
  expect(free()).toBe(false)
  bench.set('a', { status: 'verifying' })
  expect(free()).toBe(false)
  bench.set('a', { status: 'completed' })
  expect(free()).toBe(true)
})

test('SC1 SC7 a run that is forgotten gives back its slots, its claims and its turn', () => {
  const bench = decidedRun({ a: claim, b: claim, c: {}, d: {} })
  bench.lease('a')
  bench.lease('c', { worker: 'w2' })
  bench.set('c', { status: 'verifying' })
  forget(bench.state, bench.run)
  const { state } = bench
  expect([state.working, state.holdings.size, state.turns.size, state.runs.size]).toEqual([0, 0, 0, 0])
  expect(isFree(state, bench.task('b'))).toBe(true)
  // What another run holds of the same worker stays.
  const beside = decidedRun({ a: {} })
  beside.lease('a', { worker: 'w2' })
  beside.set('a', { status: 'verifying' })
  beside.state.holdings.set('w2', 1)
  forget(beside.state, beside.run)
  expect(Object.fromEntries(beside.state.holdings)).toEqual({ w2: 1 })
})

test('SC6 a lease counts as one start, however often it is stepped', () => {
  const limits = { keys: { k: { atOnce: 9, perInterval: { starts: 2, intervalMs: 1_000 } } } }
  const spec = { concurrency_key: 'k' }
  const bench = decidedRun({ a: spec, b: spec, c: spec }, { limits })
  const free = () => isFree(bench.state, bench.task('c'), bench.clock.now())
  bench.lease('a', { awaits: true })
  for (const status of ['running', 'verifying', 'completed'] as const) bench.set('a', { status })
  expect(free()).toBe(true)
  bench.lease('b')
  expect(free()).toBe(false)
})

test('SC1 SC6 SC7 a run that was read beside the state comes in with the slots, claims and rates that it takes', () => {
  const aside = decidedRun({ a: claim, b: claim, c: { concurrency_key: 'k' }, d: { concurrency_key: 'k' }, e: other, f: other })
  aside.lease('a')
  aside.lease('e', { worker: 'w2' })
  aside.set('e', { status: 'completed' })
  aside.lease('c', { worker: 'w2' })
  const at = aside.clock.now()
  aside.set('c', { status: 'completed' })
  const gates = { limits: { keys: { k: { perInterval: { starts: 1, intervalMs: 1_000 } } } } as never, later: () => undefined }
  const state = createFleetState(gates)
  state.working = 2
  state.holdings.set('w1', 1)
  adopt(state, aside.state, aside.run)
  expect([state.working, Object.fromEntries(state.holdings)]).toEqual([3, { w1: 2 }])
  expect([state.runs.get('r'), state.turns.has('r')]).toEqual([aside.run, true])
  expect([isFree(state, aside.task('b'), at), isFree(state, aside.task('f'), at)]).toEqual([false, true])
  // The start of `c` counts though it has ended; `d` may begin when the interval has passed.
  expect([isFree(state, aside.task('d'), at), isFree(state, aside.task('d'), at + 1_000)]).toEqual([false, true])
  // What was given back is free: the claim is held by its task, under its name.
  const held = aside.task('a').gates
  if (held !== null) state.gates.release({ run: 'r', task: 'a' }, held)
  expect(isFree(state, aside.task('b'), at)).toBe(true)
})

test('CO4 ST7 a task that was read from a snapshot is in its run with all that is derived from it', () => {
  const {
    run: { header },
  } = decidedRun({})
  const state = createFleetState()
  const run = createRunState({ ...header, budget: { max_tokens: 9 } })
  Object.assign(run, { status: 'running', opened: true })
  state.runs.set('r', run)
  const restored = (id: string, set: Changes, more: Partial<TaskState> = {}) => {
    const spec = FleetTaskSpec.parse({ id, name: id, instructions: 'i', depends_on: id === 'c' ? ['a'] : [] })
    restoreTask(state, run, { ...createTaskState(run, spec, { by: 1, at: 0 }), ...set, ...more })
  }
  restored('a', { status: 'running', worker: 'w1', leasedAt: 0, inputTokens: 4 })
  restored('b', { status: 'enqueued' })
  restored('c', { status: 'blocked' })
  restored('d', { status: 'failed', worker: 'w2' }, { failureKind: 'task', alerts: [{ status: 'owed' } as AlertRecord] })
  expect(run.unsettled).toBe(1)
  expect(run.counts).toMatchObject({ running: 1, enqueued: 1, blocked: 1, failed: 1 })
  expect([run.working, state.working, Object.fromEntries(state.holdings), [...run.workers]]).toEqual([
    1,
    1,
    { w1: 1 },
    ['w1', 'w2'],
  ])
  expect([run.tally.task_failed, run.spend?.by(0).tokens, run.dependants.get('a'), state.turns.has('r')]).toEqual([
    1,
    4,
    ['c'],
    true,
  ])
  expect(run.ready.first(() => true, state.gates, 0)?.id).toBe('b')
})
