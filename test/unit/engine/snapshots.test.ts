import { expect, test } from 'vitest'
import { openControl } from '../../../src/fleet/control.ts'
import { controlledAppends } from '../../support/journal.ts'
import { openBench, task } from '../../support/bench-fleet.ts'

const limits = { snapshotAfter: 8, snapshotAtEndAfter: 8 }
const many = (count: number) => Array.from({ length: count }, (_, index) => task(`t${index}`))

test('ST7 a snapshot is taken while a run goes on, and a crash reads only what came after it', async () => {
  const bench = await openBench({ slots: 2, limits })
  const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: many(12) })
  await bench.clock.settle()
  expect(await bench.store.loadSnapshot('r')).toBeUndefined()
  for (let index = 0; index < 8; index += 1) {
    bench.transport.attempt(`t${index}`).complete()
    await bench.clock.settle()
  }
  const snapshot = await bench.store.loadSnapshot('r')
  const last = await bench.store.last('r')
  expect(snapshot?.seq).toBeGreaterThan(last - 12)
  // The run, what its tasks have in common, and the tasks.
  expect(snapshot?.records).toHaveLength(14)
  const before = await run.tasks()
  const peer = bench.store.peer()
  bench.store.crash()
  const reads: number[] = []
  const reading = new Proxy(peer, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'read')
        return (id: string, options: { from: number; limit: number }) => {
          if (id === 'r') reads.push(options.from)
          return target.read(id, options)
        }
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const control = openControl(reading)
  expect(await control.run('r').tasks()).toEqual(before)
  expect(Math.min(...reads)).toBe((snapshot?.seq ?? 0) + 1)
})

test('ST7 a run that ends, or is there when the fleet closes, gets a snapshot when that saves reading', async () => {
  const bench = await openBench({ slots: 20, limits: { snapshotAfter: 1000, snapshotAtEndAfter: 20 } })
  const names = [
    ['small', 2],
    ['large', 12],
    ['open', 12],
  ] as const
  for (const [id, count] of names) {
    await bench.fleet.start({ id, name: id, tasks: many(count).map((one) => ({ ...one, id: `${id}-${one.id}` })) })
    await bench.clock.settle()
    for (let index = 0; index < (id === 'open' ? 10 : count); index += 1) bench.transport.attempt(`${id}-t${index}`).complete()
    await bench.clock.settle()
  }
  const has = async () => Promise.all(names.map(async ([id]) => (await bench.store.loadSnapshot(id)) !== undefined))
  expect(await has()).toEqual([false, true, false])
  const closing = bench.fleet.close()
  await bench.clock.advanceUntilIdle()
  await closing
  expect(await has()).toEqual([false, true, true])
})

test('CO1 a snapshot that saw what was discarded is not kept', async () => {
  const appends = controlledAppends()
  const bench = await openBench({
    slots: 1,
    limits: { snapshotAfter: 2, snapshotAtEndAfter: 1000 },
    storeParts: { beforeAppend: () => appends.beforeAppend() },
  })
  const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: many(3) })
  await bench.clock.settle()
  const kept = await bench.store.loadSnapshot('r')
  appends.hold()
  // The first is being written while the second is decided upon it; the snapshot that the first sets off sees both.
  bench.transport.attempt('t0').accept()
  await bench.clock.settle()
  const cancelling = run.cancelTask('t2').then(
    () => 'cancelled',
    (error: { code: string }) => error.code,
  )
  await bench.clock.settle()
  appends.next.push('store', 'refuse')
  appends.goOne()
  await bench.clock.settle()
  appends.goOne()
  await bench.clock.advance(1_000)
  expect(await cancelling).toBe('not_stored')
  const snapshot = await bench.store.loadSnapshot('r')
  const last = await bench.store.last('r')
  expect(JSON.stringify(snapshot)).not.toContain('cancelled')
  for (const record of snapshot?.records ?? []) expect(record.seq).toBeLessThanOrEqual(last)
  expect(snapshot?.seq).toBe(kept?.seq)
  // The positive control: the next one, which saw nothing of it, is kept.
  appends.go()
  bench.transport.attempt('t0').complete()
  await bench.clock.settle()
  bench.transport.attempt('t1').complete()
  await bench.clock.advance(1_000)
  expect((await bench.store.loadSnapshot('r'))?.seq).toBeGreaterThan(kept?.seq ?? 0)
})
