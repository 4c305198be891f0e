import { describe, expect, test } from 'vitest'
import { explainTask } from '../../../src/engine/explain.ts'
import type { FleetFacts } from '../../../src/engine/explain.ts'
import { createGates } from '../../../src/engine/gates.ts'
import { just } from '../../../src/engine/entry.ts'
import type { RunFields } from '../../../src/engine/entry.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun, Specs } from '../../support/decided-run.ts'
import { workerFacts } from '../../support/registered-worker.ts'

/** A run, and what is said of its tasks by a fleet that has a free worker and no limits, but for what is given. */
function explained(specs: Specs = { a: {} }, options?: Parameters<typeof decidedRun>[1]) {
  const bench = decidedRun(specs, options)
  const explain = (id = 'a', more: Partial<FleetFacts> = {}) =>
    explainTask(bench.run, bench.task(id), {
      workers: [{ facts: workerFacts('w1'), status: 'online', free: 1 }],
      ...{ full: false, gates: createGates({ limits: {}, later: () => undefined }), now: bench.clock.now() },
      ...more,
    })
  return { ...bench, explain, waits: (...given: Parameters<typeof explain>) => kinds(explain(...given)) }
}

/** What a task waits for; each wait is told in a sentence. */
function kinds({ waits }: ReturnType<typeof explainTask>) {
  for (const { message } of waits) expect(message).toMatch(/^[A-Z].+\.$/)
  return waits.map((wait) => wait.for)
}

const step = ({ decide }: DecidedRun, run: Partial<RunFields>) => decide(() => just({ on: 'r', kind: 'run.stepped', run }))

test('RU9 a task that a free worker can take waits for nothing, and the worker has nothing against it', () => {
  const { explain } = explained()
  expect(explain()).toEqual({
    ...{ task_id: 'a', status: 'enqueued', waits: [] },
    workers: [{ id: 'w1', status: 'online', free: 1, against: [] }],
  })
})

test('RU9 each worker is named with what speaks against it; where no able one is there, it waits for one', () => {
  const { explain } = explained({ a: { handler: 'h' } })
  const said = explain('a', {
    workers: [
      { facts: workerFacts('w1'), status: 'busy', free: 0 },
      { facts: workerFacts('w2', { capabilities: ['x'] }), status: 'online', free: 3 },
    ],
  })
  expect(kinds(said)).toEqual(['worker'])
  expect(said.workers).toEqual([
    { id: 'w1', status: 'busy', free: 0, against: ['does not serve the handler h'] },
    { id: 'w2', status: 'online', free: 3, against: ['does not serve the handler h'] },
  ])
})

test('RU9 one free able worker is enough; where all that are able are taken, they are named, and the unable are not', () => {
  const { explain } = explained()
  const [taken, offline] = ['taken', 'offline'].map((id) => ({ facts: workerFacts(id), free: 0 }))
  const unable = { facts: workerFacts('unable', { serves: { handlers: ['h'], commands: false, plain: false } }) }
  const workers = [
    { ...taken!, status: 'busy' },
    { ...offline!, status: 'offline' },
    { ...unable, status: 'online', free: 1 },
  ]
  const said = explain('a', { workers })
  expect(kinds(said)).toEqual(['slot'])
  expect(said.waits[0]?.message).toContain('taken (busy), offline (offline).')
  expect(explain('a', { workers: [...workers, { facts: workerFacts('free'), status: 'busy', free: 1 }] }).waits).toEqual([])
})

test('RU9 ST11 a run that this fleet does not carry on, or that no fleet here knows, waits for one that does', () => {
  const bench = explained()
  bench.run.carried = false
  expect(bench.waits()).toEqual(['not_carried'])
  bench.run.carried = true
  const unknown = explainTask(bench.run, bench.task('a'), undefined)
  expect(kinds(unknown)).toEqual(['not_carried'])
  expect(unknown.workers).toEqual([])
})

test('RU9 SC1 the limits of a run and of the fleet are named when they are reached', () => {
  const bench = explained({ a: {}, b: {}, c: {} }, { header: { max_workers: 2 } })
  expect(bench.waits('c')).toEqual([])
  bench.lease('a')
  expect(bench.waits('c')).toEqual([])
  bench.lease('b')
  expect(bench.explain('c').waits).toEqual([{ for: 'run_limit', message: expect.stringContaining('2') }])
  expect(bench.waits('c', { full: true })).toEqual(['run_limit', 'fleet_limit'])
  const free = explained({ a: {}, b: {} })
  free.lease('a')
  expect(free.waits('b', { full: true })).toEqual(['fleet_limit'])
})

test('RU9 SC6 SC7 each gate that keeps a task is named, with what it says', () => {
  const bench = explained({ a: { concurrency_key: 'k', workspace: { writable_paths: ['src'] } }, b: {} })
  const gates = createGates({ limits: {}, later: () => undefined })
  expect(bench.waits('a', { gates })).toEqual([])
  gates.hold({ run: 'r', task: 'other' }, bench.task('a').gates!)
  const said = bench.explain('a', { gates })
  expect(kinds(said)).toEqual(['key_limit', 'claim'])
  expect(said.waits[0]?.message).toContain('k')
  expect(said.waits[1]?.message).toContain('other')
  expect(bench.waits('b', { gates })).toEqual([])
})

describe('RU9 what is not up to workers', () => {
  test('RU9 a task says until when it waits, and whether that is before a next attempt', () => {
    const bench = explained()
    const notBefore = Date.UTC(2030, 0, 2)
    bench.set('a', { status: 'backoff', notBefore })
    const said = (failures: number) => {
      bench.set('a', { failures })
      return bench.explain().waits
    }
    const moment = { for: 'backoff', message: expect.stringContaining('2030-01-02T00:00:00.000Z') }
    expect(said(0)).toEqual([moment])
    expect(said(1)).toEqual([moment])
    expect(said(0)[0]?.message).not.toEqual(said(1)[0]?.message)
    bench.set('a', { notBefore: null })
    expect(bench.waits()).toEqual([])
    bench.set('a', { status: 'enqueued', notBefore })
    expect(bench.waits()).toEqual([])
  })

  test('RU9 SC5 a blocked task names each dependency with its state, and a verdict that a person owes', () => {
    const specs = { a: { depends_on: ['done', 'manual', 'failed', 'open'] }, done: {}, manual: {}, failed: {}, open: {} }
    const bench = explained({ ...specs, manual: { scorer: { kind: 'manual' } } })
    for (const id of ['done', 'manual'])
      bench.decide(() =>
        just({
          ...{ on: 'r', kind: 'task.stepped', task: id, attempt: 1, set: { status: 'completed' } },
          receipt: { result: 'partial' } as never,
        }),
      )
    bench.set('failed', { status: 'failed' })
    expect(bench.explain().waits).toEqual([
      { for: 'verdict', message: expect.stringContaining('manual') },
      { for: 'dependency', message: 'It waits for failed, which is failed.' },
      { for: 'dependency', message: 'It waits for open, which is enqueued.' },
    ])
    // A task that is enqueued has none to wait for.
    bench.set('a', { status: 'enqueued' })
    expect(bench.waits()).toEqual([])
  })

  test('RU4 RU9 whatever would wait for a worker waits for its run to go on, or to be started; and for nothing but that', () => {
    for (const [status, reason] of [
      ['paused', 'pause'],
      ['pending', 'start'],
    ] as const) {
      const bench = explained({ a: {}, b: {} }, { header: { max_workers: 1 } })
      bench.lease('b')
      step(bench, { status })
      for (const waiting of ['enqueued', 'blocked', 'backoff'] as const) {
        bench.set('a', { status: waiting })
        expect(bench.waits('a', { full: true, workers: [] }), `${status} ${waiting}`).toEqual([reason])
      }
      for (const other of ['starting', 'running', 'verifying', 'completed', 'failed', 'cancelled'] as const) {
        bench.set('a', { status: other })
        expect(bench.waits('a', { full: true, workers: [] }), `${status} ${other}`).toEqual([])
      }
    }
  })

  test('RU9 only what is enqueued in a run that goes on waits for workers and limits', () => {
    const bench = explained({ a: {} })
    const nobody = { full: true, workers: [] }
    for (const status of ['queued', 'running'] as const) {
      step(bench, { status })
      expect(bench.waits('a', nobody), status).toEqual(['worker', 'fleet_limit'])
    }
    for (const status of ['completed', 'failed', 'cancelled'] as const) {
      step(bench, { status })
      expect(bench.waits('a', nobody), status).toEqual([])
    }
    step(bench, { status: 'running' })
    for (const status of ['blocked', 'backoff', 'running', 'completed'] as const) {
      bench.set('a', { status })
      expect(bench.waits('a', nobody), status).toEqual([])
    }
  })
})
