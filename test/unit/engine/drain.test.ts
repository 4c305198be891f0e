import { expect, test } from 'vitest'
import { drainWorker } from '../../../src/engine/drain.ts'
import type { WorkerHost } from '../../../src/engine/worker-host.ts'
import { registeredWorker } from '../../support/registered-worker.ts'
import { workerBench } from '../../support/worker-bench.ts'

/** A worker that is drained while it holds leases of some tasks, beside another one that holds one too. */
function draining(tasks: readonly string[], graceMs?: number) {
  const worker = registeredWorker('w1', { status: tasks.length > 0 ? 'busy' : 'online' })
  const specs = Object.fromEntries([...tasks, 'other'].map((id) => [id, {}]))
  const bench = workerBench([worker, registeredWorker('w2')], specs)
  for (const id of tasks) bench.lease(id)
  bench.lease('other', { worker: 'w2' })
  for (const id of [...tasks, 'other']) bench.begin(id)
  const retired: string[] = []
  const retire: WorkerHost['retire'] = (of) => {
    bench.workers.step(of, { type: 'retire' })
    retired.push(of.facts.id)
    return Promise.resolve()
  }
  const listening = { count: 0 }
  const { presence } = bench.core
  const onEnd: typeof presence.onEnd = (listener) => {
    const stop = presence.onEnd(listener)
    listening.count += 1
    return () => ((listening.count -= 1), stop())
  }
  const core = { ...bench.core, presence: { ...presence, onEnd } }
  const drained = { is: false }
  void drainWorker(core, { workers: bench.workers, host: { retire } as WorkerHost }, worker, graceMs).then(
    () => (drained.is = true),
  )
  return {
    ...{ ...bench, worker, retired, drained, listening },
    /** The attempt of a task ends by itself. */
    async end(id: string) {
      bench.set(id, { status: 'completed' })
      bench.core.presence.end('r', id, 1)
      await bench.clock.settle()
    },
  }
}

test('WO a worker without a lease retires at once', async () => {
  const { clock, retired, drained, worker } = draining([], 5_000)
  await clock.settle()
  expect([retired, drained.is, worker.status]).toEqual([['w1'], true, 'retired'])
  expect(clock.pending).toBe(0)
})

test('WO a worker with leases retires with the end of the last, whatever ends elsewhere, and the wait keeps no process alive', async () => {
  const { clock, retired, drained, worker, end, sleeps, entries, listening } = draining(['a', 'b'])
  await clock.advance('10m')
  expect([worker.status, listening.count]).toEqual(['draining', 1])
  await end('other')
  await end('a')
  expect([retired, worker.status]).toEqual([[], 'draining'])
  await end('b')
  expect([retired, drained.is, listening.count]).toEqual([['w1'], true, 0])
  expect(entries).toEqual([])
  expect(new Set(sleeps.map(({ keepAlive }) => keepAlive))).toEqual(new Set([false]))
})

test('WO1 what is left after the grace is released, and its worker told to stop; what another worker has is not', async () => {
  const { clock, entries, worker } = draining(['a', 'b'], 5_000)
  await clock.advance(4_999)
  expect(entries).toEqual([])
  await clock.advance(1)
  expect(entries.map(({ task }) => task)).toEqual(['a', 'b'])
  for (const entry of entries) {
    expect(entry).toMatchObject({
      ...{ set: { status: 'enqueued', released: true }, effects: ['worker.stop'] },
      events: [{ state: 'interrupted', signal: 'drained' }, { state: 'queued' }],
    })
    expect(entry.set).not.toHaveProperty('crashes', 1)
  }
  expect(worker.status).toBe('draining')
})

test('WO1 a grace that was not needed is taken back, and nothing is released without one', async () => {
  const { clock, entries, end, retired } = draining(['a'], 5_000)
  await clock.settle()
  await end('a')
  expect(retired).toEqual(['w1'])
  expect(clock.pending).toBe(0)
  const without = draining(['a'])
  await without.clock.advance('10m')
  expect([...entries, ...without.entries]).toEqual([])
})

test('LE2 WO3 what lingers has no lease to give back, and what ended meanwhile is not ended again', async () => {
  const { clock, core, entries, hold, release, set } = draining(['lingers', 'ended', 'a'], 5_000)
  core.presence.linger(core.presence.get('r', 'lingers', 1)!)
  hold()
  await clock.advance(5_000)
  set('ended', { status: 'verifying' })
  release()
  expect(entries.map(({ task }) => task)).toEqual(['a'])
})

test('WO a worker that is lost while it drains, without the end of an attempt that could be heard, retires all the same', async () => {
  const { clock, worker, retired, workers } = draining(['a'])
  await clock.advance('30s')
  workers.step(worker, { type: 'lost' })
  await clock.advance('30s')
  expect(retired).toEqual(['w1'])
})
