import { expect, test } from 'vitest'
import { recoverRun } from '../../../src/engine/recovery.ts'
import { registeredWorker } from '../../support/registered-worker.ts'
import { createTestTransport } from '../../support/test-transport.ts'
import { workerBench } from '../../support/worker-bench.ts'
import type { Specs } from '../../support/decided-run.ts'

/** A run of such tasks that is put back to work, with what that set off. Workers: `here` lives in this process, `elsewhere` may have gone on. */
function recovering(specs: Specs = { a: {} }) {
  const workers = [
    registeredWorker('here'),
    registeredWorker('elsewhere', { transport: createTestTransport({ survives: true }) }),
    registeredWorker('dials', { transport: createTestTransport({ dialsIn: true }) }),
  ]
  const bench = workerBench(workers, specs)
  const done: string[] = []
  const effects = { score: (_: unknown, { id }: { id: string }) => void done.push(`score ${id}`) }
  const watch = {
    arm: (_: unknown, { id }: { id: string }) => void done.push(`arm ${id}`),
    watch: ({ task }: { task: string }) => void done.push(`watch ${task}`),
  }
  const alerts = { recover: ({ header }: { header: { id: string } }) => void done.push(`alerts of ${header.id}`) }
  const core = { ...bench.core, folderOf: (...parts: unknown[]) => `/folder/${parts.join('/')}` }
  const recover = () => recoverRun(core, bench.run, { workers: bench.workers, effects, watch, alerts } as never)
  const records = (id: string, dialsIn?: true) =>
    bench.state.workers.set(id, { id, incarnation: 'i', draining: false, retired: false, ...(dialsIn && { dialsIn }) })
  return { ...bench, done, recover, records }
}

test('LE6 LE8 the lease of a worker that lived with its fleet is released as after a crash, with nobody to stop', async () => {
  const { lease, recover, entries, done, core } = recovering()
  lease('a', { worker: 'here' })
  await recover()
  expect(entries).toMatchObject([
    {
      ...{ task: 'a', attempt: 1, set: { status: 'enqueued', crashes: 1, released: true }, effects: undefined },
      events: [{ state: 'interrupted', signal: 'the fleet restarted' }, { state: 'queued' }],
    },
  ])
  expect(core.presence.size).toBe(0)
  expect(done).toEqual(['alerts of r', 'arm a'])
})

test('BU3 what a crash ended counts as long as the run was heard of, not while no fleet was there', async () => {
  const { lease, recover, run, task, clock } = recovering()
  lease('a', { worker: 'here' })
  run.lastAt = clock.now() + 7_000
  await clock.advance('1h')
  await recover()
  expect(task('a').spentMs).toBe(7_000)
})

test('LE6 HO7 work that may go on elsewhere has one ttl to be heard of, where it was', async () => {
  const { lease, recover, entries, done, core, clock, run } = recovering()
  lease('a', { worker: 'elsewhere' })
  await clock.advance(5_000)
  await recover()
  expect(entries).toEqual([])
  const now = core.deadlines.leaseNow()
  expect(core.presence.get('r', 'a', 1)).toMatchObject({
    ...{ run: 'r', task: 'a', attempt: 1, worker: 'elsewhere' },
    ...{ deadline: now + 60_000, lastHeardAt: clock.now(), lastProgress: now, lingering: false },
    place: { run_id: 'r', task_id: 'a', attempt: 1, folder: '/folder/r/a/1', root: run.header.workspace },
  })
  expect(done).toEqual(['alerts of r', 'watch a', 'arm a'])
})

test('LE6 a worker that is registered as it dials in is awaited though it is not there, and no other that is not', async () => {
  const { lease, recover, entries, records, done } = recovering({ a: {}, b: {}, c: {}, d: {} })
  records('gone', true)
  records('other')
  lease('a', { worker: 'gone' })
  lease('b', { worker: 'other' })
  lease('c', { worker: 'unknown' })
  // What is known of it now is more than what was recorded.
  records('here', true)
  lease('d', { worker: 'here' })
  await recover()
  expect(done.filter((one) => one.startsWith('watch'))).toEqual(['watch a'])
  expect(entries.map(({ task }) => task)).toEqual(['b', 'c', 'd'])
})

test('LE2 an attempt that is alive here goes on, and one that ended before its release could be told is not ended again', async () => {
  const { lease, begin, recover, entries, hold, release, set, core } = recovering({ alive: {}, ended: {}, next: {}, lost: {} })
  for (const id of ['alive', 'ended', 'next', 'lost']) lease(id, { worker: 'here' })
  const presence = begin('alive')
  hold()
  await recover()
  set('ended', { status: 'completed' })
  set('next', { attempt: 2 })
  release()
  expect(entries.map(({ task }) => task)).toEqual(['lost'])
  expect(core.presence.get('r', 'alive', 1)).toBe(presence)
})

test('CO5 LE5 verifications are performed again, and the waits of every task are armed; what has not begun is left alone', async () => {
  const { lease, recover, entries, done, set } = recovering({ verified: {}, backoff: {}, queued: {}, ended: {}, starting: {} })
  lease('verified', { worker: 'here' })
  set('verified', { status: 'verifying' })
  set('backoff', { status: 'backoff' })
  set('ended', { status: 'completed' })
  lease('starting', { worker: 'here', awaits: true })
  await recover()
  expect(done).toEqual([
    'alerts of r',
    'score verified',
    'arm verified',
    'arm backoff',
    'arm queued',
    'arm ended',
    'arm starting',
  ])
  expect(entries.map(({ task }) => task)).toEqual(['starting'])
})

test('ST7 a large run is put back to work with turns between its tasks', async () => {
  const { recover, core } = recovering(Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`t${index}`, {}])))
  let turns = 0
  core.clock.turn = () => ((turns += 1), Promise.resolve())
  await recover()
  expect(turns).toBe(2)
})
