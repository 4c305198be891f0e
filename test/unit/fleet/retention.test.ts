import { expect, test } from 'vitest'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { BenchFleet } from '../../support/bench-fleet.ts'

async function endRuns(bench: BenchFleet, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    const run = await bench.fleet.start({ id, name: id, tasks: [task('a')] })
    await bench.clock.settle()
    bench.transport.attempt('a').complete()
    await run.result()
    await bench.clock.advance(1_000)
  }
}

const left = async (bench: BenchFleet): Promise<string[]> => (await bench.fleet.runs()).map(({ id }) => id).sort()

test('RU8 retention by count keeps the runs that ended last, and deletes the others with their ids kept from use', async () => {
  const bench = await openBench({ retention: { endedRuns: 2 } })
  await endRuns(bench, 'one', 'two', 'three')
  expect(await left(bench)).toEqual(['three', 'two'])
  await expect(bench.fleet.run('one')).rejects.toMatchObject({ code: 'unknown_run' })
  await expect(bench.fleet.start({ id: 'one', name: 'again', tasks: [task('a')] })).rejects.toMatchObject({ code: 'run_exists' })
})

test('RU8 retention by age deletes what ended too long ago, when a run ends and when a fleet opens', async () => {
  const bench = await openBench({ retention: { maxAgeMs: 60_000 } })
  await endRuns(bench, 'old')
  await bench.clock.advance(61_000)
  await endRuns(bench, 'new')
  expect(await left(bench)).toEqual(['new'])
  await Promise.all([bench.fleet.close(), bench.clock.advance(20_000)])
  await bench.clock.advance(61_000)
  const next = await openBench({ store: bench.store.peer(), clock: bench.clock, seed: 'next', retention: { maxAgeMs: 60_000 } })
  expect(await left(next)).toEqual([])
})

test('RU8 without retention every ended run stays, and retention spares runs that have not ended', async () => {
  const bench = await openBench()
  await endRuns(bench, 'one', 'two', 'three')
  expect(await left(bench)).toEqual(['one', 'three', 'two'])
  const strict = await openBench({ retention: { endedRuns: 0 }, slots: 2 })
  await strict.fleet.start({ id: 'open', name: 'open', tasks: [task('waits')] })
  await endRuns(strict, 'ended')
  expect(await left(strict)).toEqual(['open'])
})
