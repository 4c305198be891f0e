import { describe, expect, test } from 'vitest'
import { just } from '../../../src/engine/entry.ts'
import { createWorkerLine } from '../../../src/engine/worker-line.ts'
import type { Worker } from '../../../src/engine/workers.ts'
import type { HelloMessage } from '../../../src/protocol/wire.ts'
import { registeredWorker } from '../../support/registered-worker.ts'
import { createTestTransport } from '../../support/test-transport.ts'
import { createHeldTransport, workerBench } from '../../support/worker-bench.ts'

/** A worker `w1` with a running and a starting attempt, and another one with an attempt of its own. */
function lined(worker: Worker = registeredWorker('w1')) {
  const bench = workerBench([worker, registeredWorker('w2')], { running: {}, starting: {}, other: {}, verified: {}, waiting: {} })
  bench.lease('running')
  bench.lease('starting', { awaits: true })
  bench.lease('other', { worker: 'w2' })
  for (const id of ['running', 'starting', 'other']) bench.begin(id)
  const line = createWorkerLine(bench.core, bench.workers)
  const hello = (more: Partial<HelloMessage> = {}) =>
    line.hello(worker, { type: 'hello', worker_id: 'w1', incarnation: 'w1-2', attempts: [], ...more })
  return { ...bench, worker, hello, lost: (reason = 'it died') => line.lost(worker, reason), present: () => tasksOf(bench) }
}

const tasksOf = ({ core }: ReturnType<typeof workerBench>) => [...core.presence.all()].map(({ task }) => task)
const attempt = (task_id: string) => ({ run_id: 'r', task_id, attempt: 1 })
const released = (task: string) => ({
  task,
  set: { status: 'enqueued' },
  events: [{ state: 'interrupted' }, { state: 'queued' }],
})

describe('hello', () => {
  test('WO1 who comes up is known by his new incarnation, takes attempts again, and scheduling looks again', () => {
    const { worker, hello, entries, nudges } = lined(registeredWorker('w1', { resting: true }))
    hello({ attempts: [attempt('running'), attempt('starting')] })
    expect(worker).toMatchObject({ incarnation: 'w1-2', resting: false, status: 'busy' })
    const record = { id: 'w1', incarnation: 'w1-2', draining: false, retired: false }
    expect(entries).toMatchObject([{ kind: 'worker.registered', record }])
    expect(nudges()).toBe(1)
  })

  test('WO who has no lease is online, and who has a drain standing goes on to drain', () => {
    const idle = registeredWorker('idle')
    const bench = workerBench([idle], { a: {} })
    const say = () =>
      createWorkerLine(bench.core, bench.workers).hello(idle, {
        ...{ type: 'hello', worker_id: 'idle', incarnation: 'i', attempts: [] },
      })
    say()
    expect(idle.status).toBe('online')
    const draining = lined(registeredWorker('w1', { draining: true }))
    draining.hello()
    expect(draining.worker.status).toBe('draining')
  })

  test('WO1 LE8 what the new incarnation does not know is released, with nobody to stop; what it knows goes on', () => {
    const { hello, entries, present, task } = lined()
    hello({ attempts: [attempt('starting'), attempt('gone')] })
    expect(entries.slice(1)).toMatchObject([{ ...released('running'), effects: undefined }])
    expect(entries[1]?.events?.[0]).toMatchObject({ signal: expect.stringContaining('incarnation') })
    expect(task('running').crashes).toBe(0)
    expect(present()).toEqual(['starting', 'other'])
  })

  test('LE2 an attempt is known by its number too', () => {
    const { hello, present } = lined()
    hello({
      attempts: [
        { ...attempt('running'), attempt: 2 },
        { ...attempt('starting'), run_id: 's' },
      ],
    })
    expect(present()).toEqual(['other'])
  })

  test('WO3 what was written off and has ended meanwhile is forgotten, what still runs is not', () => {
    const { worker, hello } = lined(registeredWorker('w1', { abandoned: new Set(['r/old/1', 'r/running/1']) }))
    hello({ attempts: [attempt('running'), attempt('starting')] })
    expect([...worker.abandoned]).toEqual(['r/running/1'])
  })

  test('SE5 no incarnation holds a secret', () => {
    const { worker, hello, inUse } = lined()
    inUse.use([{ key: 'KEY', value: 'very-secret-value' }])
    hello({ incarnation: 'of very-secret-value' })
    expect(worker.incarnation).not.toContain('very-secret-value')
    expect(worker.incarnation).toContain('of ')
  })
})

describe('lost', () => {
  test('WO2 RE7 what had begun when its line was lost has failed, what was never accepted is given back', () => {
    const worker = registeredWorker('w1', { status: 'busy', channel: {} as never })
    const { lost, entries, present } = lined(worker)
    lost()
    expect(worker).toMatchObject({ status: 'offline', channel: undefined })
    expect(entries).toMatchObject([
      {
        ...{ task: 'running', receipt: { result: 'fail', failure_kind: 'transport' }, effects: undefined },
        events: [{ state: 'failed', recoverable: true }],
      },
      { ...released('starting'), effects: undefined },
    ])
    const [failed, back] = entries
    expect(failed?.events?.[0]).toMatchObject({ reason: expect.stringMatching(/w1.*it died/) })
    expect(back?.events?.[0]).toMatchObject({ signal: 'it died' })
    expect(present()).toEqual(['other'])
  })

  test('HO7 LE6 work that goes on without its line keeps its leases, and its channel what is said meanwhile', () => {
    const channel = {} as never
    const transport = createTestTransport({ survives: true })
    const { worker, lost, entries, present } = lined(registeredWorker('w1', { status: 'busy', channel, transport }))
    lost()
    expect(worker.status).toBe('offline')
    expect(worker.channel).toBe(channel)
    expect(entries).toEqual([])
    expect(present()).toEqual(['running', 'starting', 'other'])
  })

  test('LE2 what ended before its loss could be told is not ended again, nor is what awaits its verdict', () => {
    const { lost, entries, hold, release, set, decide, present } = lined()
    hold()
    lost()
    set('running', { status: 'verifying' })
    decide(() => just({ on: 'r', kind: 'task.stepped', task: 'starting', set: { attempt: 2 } }))
    release()
    expect(entries).toEqual([])
    expect(present()).toEqual(['other'])
  })

  test('SE5 no reason of a loss holds a secret', () => {
    const { lost, entries, inUse } = lined()
    inUse.use([{ key: 'KEY', value: 'very-secret-value' }])
    lost('it said very-secret-value')
    expect(entries).toHaveLength(2)
    expect(JSON.stringify(entries)).toContain('it said')
    expect(JSON.stringify(entries)).not.toContain('very-secret-value')
  })
})

describe('the record of a worker', () => {
  const record = { id: 'w1', incarnation: 'w1-2', draining: false, retired: false }
  const whole = { attempts: [attempt('running'), attempt('starting')] }

  test('WO1 it is not written again while it stands as it is, and is when anything of it changed', () => {
    const bench = lined()
    const recorded = () => bench.entries.filter(({ kind }) => kind === 'worker.registered').map((entry) => entry.record)
    bench.hello(whole)
    bench.hello(whole)
    expect(recorded()).toEqual([record])
    bench.worker.draining = true
    bench.hello(whole)
    bench.hello({ ...whole, incarnation: 'w1-3' })
    expect(recorded().slice(1)).toEqual([
      { ...record, draining: true },
      { ...record, draining: true, incarnation: 'w1-3' },
    ])
    bench.decide(() => just({ on: 'fleet', kind: 'worker.retired', record: { ...recorded()[2]!, retired: true } }))
    bench.hello({ ...whole, incarnation: 'w1-3' })
    expect(recorded().slice(3)).toEqual([{ ...record, draining: true, incarnation: 'w1-3' }])
  })

  test('WO1 what has retired is not recorded again, whatever is heard of it', () => {
    const bench = lined(registeredWorker('w1', { status: 'retired' }))
    bench.hello(whole)
    expect([bench.worker.status, bench.entries]).toEqual(['retired', []])
  })

  test('LE6 one that comes by itself is recorded as such, and no other', () => {
    for (const dialsIn of [true, false]) {
      const bench = lined(registeredWorker('w1', { transport: createHeldTransport({ dialsIn }) }))
      bench.hello(whole)
      expect(bench.entries[0]?.record).toStrictEqual({ ...record, ...(dialsIn && { dialsIn }) })
    }
  })
})
