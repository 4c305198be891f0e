import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFleet } from '../../../src/fleet/create-fleet.ts'
import { jsonStore } from '../../../src/fleet/stores.ts'
import { controlledAppends } from '../../support/journal.ts'
import { openBench, task } from '../../support/bench-fleet.ts'

test('ST7 WO1 a fleet knows its workers again from the snapshot of its own stream', async () => {
  const bench = await openBench()
  const before = await bench.store.last('fleet')
  expect(before).toBeGreaterThan(0)
  await Promise.all([bench.fleet.close(), bench.clock.advance(20_000)])
  const snapshot = await bench.store.loadSnapshot('fleet')
  expect(snapshot?.seq).toBe(await bench.store.last('fleet'))
  const peer = bench.store.peer()
  const read = peer.read.bind(peer)
  const readFrom: number[] = []
  peer.read = (run, options) => {
    if (run === 'fleet') readFrom.push(options.from)
    return read(run, options)
  }
  const next = await openBench({ store: peer, clock: bench.clock, seed: 'next' })
  expect(readFrom).toEqual([(snapshot?.seq ?? 0) + 1])
  expect(next.fleet.workers().map(({ id }) => id)).toEqual(bench.fleet.workers().map(({ id }) => id))
})

test('CO1 WO1 when the store refuses an entry of the fleet’s own stream, the stream is read again and goes on', async () => {
  const appends = controlledAppends()
  const bench = await openBench({ storeParts: { beforeAppend: () => appends.beforeAppend() } })
  const before = await bench.store.last('fleet')
  appends.next = ['refuse']
  const drained = bench.fleet.drain('w1').catch(() => undefined)
  await bench.clock.advance(10_000)
  await drained
  const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await bench.fleet.addWorker({ id: 'w2', transport: bench.transport })
  await bench.clock.settle()
  expect(await bench.store.last('fleet')).toBeGreaterThan(before)
  bench.transport.attempt('a').complete()
  expect((await run.result()).status).toBe('completed')
})

test('ST7 RU8 the folder of a fleet that deletes its ended runs does not grow', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-fleet-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const segmentBytes = 16_384
  const runs = async (count: number): Promise<void> => {
    const fleet = await createFleet({
      store: jsonStore({ folder, segmentBytes }),
      workspace: folder,
      handlers: { work: () => 'done' },
      retention: { endedRuns: 2 },
    })
    for (let index = 0; index < count; index += 1) {
      const run = await fleet.start({ name: 'small', tasks: [task('a', { handler: 'work' })] })
      expect((await run.result()).status).toBe('completed')
    }
    await fleet.close()
  }
  for (let opening = 0; opening < 3; opening += 1) await runs(40)
  const names = (await readdir(join(folder, 'journal'))).filter((name) => name.endsWith('.jsonl'))
  expect(names.length).toBeLessThan(10)
  expect(names).not.toContain('00000001.0001.jsonl')
  const store = jsonStore({ folder })
  expect(await store.runs()).toHaveLength(2)
  expect(await store.loadSnapshot('fleet')).toBeDefined()
  await runs(1)
})
