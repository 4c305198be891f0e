import { describe, expect, test } from 'vitest'
import { createTestFleet, script, worker } from '../../../src/testing/index.ts'
import type { ConcurrencyLimits } from '../../../src/engine/gates.ts'
import type { Run } from '../../../src/index.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { statuses } from '../../support/looking.ts'

const waits = async (run: Run, id: string) => (await run.explain(id)).waits

/** Which tasks are running, in the order of the spec. */
async function running(run: Run): Promise<string[]> {
  return Object.entries(await statuses(run)).flatMap(([id, status]) => (status === 'running' ? [id] : []))
}

function fleetOf(concurrency: ConcurrencyLimits = {}, slots = 8) {
  return createTestFleet({ concurrency, workers: [worker('w1', { slots }).otherwise(script().after('10s').complete())] })
}

const ofClass = (id: string, name: string, more = {}) => task(id, { metadata: { class: name }, ...more })
const writing = (id: string, ...paths: string[]) => task(id, { workspace: { writable_paths: paths } })

describe('SC6', () => {
  test('SC6 no more tasks of one metadata.class work at once than its limit; others pass them by', async () => {
    await using fleet = await fleetOf({ classes: { build: { atOnce: 2 } } })
    const tasks = [ofClass('a', 'build'), ofClass('b', 'build'), ofClass('c', 'build'), ofClass('d', 'test'), task('e')]
    const run = await fleet.start({ name: 'r', tasks })
    await fleet.advance('1s')
    expect(await running(run)).toEqual(['a', 'b', 'd', 'e'])
    expect(await waits(run, 'c')).toEqual([{ for: 'class_limit', message: 'The class build has its 2 lease(s) at once.' }])
    await fleet.advance('10s')
    expect(await running(run)).toEqual(['c'])
    await fleet.until(run.result())
  })

  test('SC6 tasks of one concurrency_key work one at a time, over all runs, where no limit says otherwise', async () => {
    await using fleet = await fleetOf({ keys: { wide: { atOnce: 3 } } })
    const of = (id: string, key: string) => task(id, { concurrency_key: key })
    const run = await fleet.start({ name: 'r', tasks: [of('a', 'k'), of('b', 'k'), of('c', 'wide'), of('d', 'wide')] })
    const other = await fleet.start({ name: 'other', tasks: [of('x', 'k')] })
    await fleet.advance('1s')
    expect([await running(run), await running(other)]).toEqual([['a', 'c', 'd'], []])
    expect(await waits(other, 'x')).toMatchObject([{ for: 'key_limit' }])
    const began = fleet.now()
    await fleet.until(Promise.all([run.result(), other.result()]))
    expect(fleet.now() - began).toBe(29_000)
  })

  test('SC6 no more tasks of a class begin in an interval than its limit, and the next begins by itself', async () => {
    await using fleet = await fleetOf({ classes: { api: { perInterval: { starts: 2, intervalMs: 60_000 } } } })
    const run = await fleet.start({ name: 'r', tasks: ['a', 'b', 'c', 'd', 'e'].map((id) => ofClass(id, 'api')) })
    const began = fleet.now()
    await fleet.advance('30s')
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'completed', c: 'enqueued', d: 'enqueued', e: 'enqueued' })
    const at = new Date(began + 60_000).toISOString()
    expect(await waits(run, 'c')).toEqual([
      { for: 'class_limit', message: `The class api had its 2 start(s) in 60 s; the next may come at ${at}.` },
    ])
    await fleet.advance('31s')
    expect(await running(run)).toEqual(['c', 'd'])
    await fleet.until(run.result())
    expect(fleet.now() - began).toBe(130_000)
  })

  test('SC6 starts before a crash count after it', async () => {
    await using fleet = await fleetOf({ classes: { api: { perInterval: { starts: 1, intervalMs: 60_000 } } } })
    const { id } = await fleet.start({ name: 'r', tasks: [ofClass('a', 'api'), ofClass('b', 'api')] })
    await fleet.advance('20s')
    await fleet.crash()
    await fleet.advance('30s')
    expect(await statuses(await fleet.run(id))).toEqual({ a: 'completed', b: 'enqueued' })
    await fleet.advance('11s')
    expect(await statuses(await fleet.run(id))).toEqual({ a: 'completed', b: 'running' })
  })

  test('SC6 what a crash released holds no limit any more', async () => {
    await using fleet = await fleetOf({ classes: { build: { atOnce: 1 } } })
    const { id } = await fleet.start({ name: 'r', tasks: [ofClass('a', 'build'), ofClass('b', 'build')] })
    await fleet.advance('1s')
    await fleet.crash()
    const began = fleet.now()
    await fleet.until((await fleet.run(id)).result())
    expect(fleet.now() - began).toBe(20_000)
  })

  test('SC6 a class without a limit is not limited, and a limit that cannot be is refused with its path', async () => {
    await using fleet = await fleetOf({ classes: { other: { atOnce: 1 } } })
    const run = await fleet.start({ name: 'r', tasks: [ofClass('a', 'free'), ofClass('b', 'free')] })
    await fleet.advance('1s')
    expect(await running(run)).toEqual(['a', 'b'])
    const wrong = { classes: { build: { atOnce: 0 } }, keys: { k: { perInterval: { starts: 1 } } } }
    await expect(fleetOf(wrong as unknown as ConcurrencyLimits)).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringMatching(/concurrency\.classes\.build\.atOnce: .*\n.*concurrency\.keys\.k\.perInterval: /s),
    })
  })
})

describe('SC7', () => {
  test('SC7 overlapping writable_paths do not hold leases at once, and the one that waits says for whom', async () => {
    await using fleet = await fleetOf()
    const run = await fleet.start({
      name: 'r',
      tasks: [writing('a', 'src'), writing('b', 'src/app'), writing('c', 'docs'), task('d')],
    })
    await fleet.advance('1s')
    expect(await running(run)).toEqual(['a', 'c', 'd'])
    const [wait] = await waits(run, 'b')
    expect(wait).toMatchObject({ for: 'claim' })
    expect(wait?.message).toMatch(new RegExp(`^It waits for the task a of run ${run.id}: both claim /.*src/app\\.$`))
    await fleet.advance('10s')
    expect(await running(run)).toEqual(['b'])
    await fleet.until(run.result())
  })

  test('SC7 claims reach across runs, and `.` overlaps everything (M7)', async () => {
    await using fleet = await fleetOf()
    const first = await fleet.start({ name: 'first', tasks: [writing('a', 'deep/inside')] })
    const second = await fleet.start({ name: 'second', tasks: [writing('all', '.')] })
    await fleet.advance('1s')
    expect([await running(first), await running(second)]).toEqual([['a'], []])
    expect((await waits(second, 'all'))[0]?.message).toContain(`the task a of run ${first.id}`)
    await fleet.until(second.result())
  })

  test('SC7 metadata.coordination_contracts are claims by name', async () => {
    await using fleet = await fleetOf()
    const of = (id: string, ...names: string[]) => task(id, { metadata: { coordination_contracts: names } })
    const run = await fleet.start({ name: 'r', tasks: [of('a', 'schema', 'api'), of('b', 'api'), of('c', 'other')] })
    await fleet.advance('1s')
    expect(await running(run)).toEqual(['a', 'c'])
    await fleet.until(run.result())
  })

  test('SC7 a task without claims waits for nobody', async () => {
    await using fleet = await fleetOf()
    const run = await fleet.start({ name: 'r', tasks: [writing('a', '.'), task('b')] })
    await fleet.advance('1s')
    expect(await running(run)).toEqual(['a', 'b'])
  })

  test('SC7 WO3 an attempt that was told to stop keeps its claims until its end is confirmed, its own retry included', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 3 })
    const run = await fleet.start({ name: 'r', tasks: [writing('a', 'out'), writing('b', 'out/x')] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    await run.restart('a')
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'enqueued', b: 'enqueued' })
    expect((await waits(run, 'a'))[0]?.message).toContain('attempt 1 of the task a, which has not ended yet,')
    transport.attempts[0]?.confirm()
    await clock.settle()
    expect(Object.values(await statuses(run)).filter((status) => status === 'starting')).toHaveLength(1)
  })

  test('RU10 a run that waits for the claims of another is not stalled', async () => {
    const { fleet, clock, heard } = await openBench({ slots: 2 })
    await fleet.start({ name: 'holder', tasks: [writing('a', '.')] })
    await fleet.start({ name: 'waiter', tasks: [writing('b', '.')] })
    await clock.settle()
    expect(heard.map(({ event }) => event)).not.toContain('run.stalled')
  })

  test('SC7 a dependant and its dependency may claim the same', async () => {
    await using fleet = await fleetOf()
    const second = { ...writing('b', 'out'), depends_on: ['a'] }
    const run = await fleet.start({ name: 'r', tasks: [writing('a', 'out'), second] })
    expect((await fleet.until(run.result())).status).toBe('completed')
  })
})
