import { describe, expect, test } from 'vitest'
import { openControl } from '../../../src/fleet/control.ts'
import type { Batch } from '../../../src/ports/store.ts'
import type { AppendFate } from '../../../src/store/memory-commit.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { BenchFleet } from '../../support/bench-fleet.ts'
import { entriesOf, statuses } from '../../support/looking.ts'

const count = 1_200
const many = (length = count) => Array.from({ length }, (_, index) => task(`t${index}`))

type Fate = AppendFate | Promise<AppendFate>

/** A bench whose store asks what is to become of each append; appends of a run are numbered from 1. */
async function openWatched(options: Parameters<typeof openBench>[0] = {}) {
  const appends: (readonly Batch[])[] = []
  const watched = { fate: (_number: number, _batches: readonly Batch[]): Fate => 'store' }
  const beforeAppend = (batches: readonly Batch[]): Fate => {
    const ofRuns = batches.filter(({ run }) => run !== 'fleet')
    if (ofRuns.length > 0) appends.push(ofRuns)
    return watched.fate(ofRuns.length === 0 ? 0 : appends.length, ofRuns)
  }
  return { ...(await openBench({ ...options, storeParts: { beforeAppend } })), appends, watched }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

function outcome(call: Promise<{ readonly created: boolean }>): Promise<unknown> {
  return call.then(({ created }) => (created ? 'created' : 'found'), codeOf)
}

/** A fleet on what an earlier one left in the store. */
function nextFleet({ store, clock }: BenchFleet): Promise<BenchFleet> {
  return openBench({ store: store.peer(), clock, seed: 'next' })
}

describe('RU1 in slices', () => {
  test('RU1 a run of one slice is created, started and leased in one append', async () => {
    const { fleet, appends, clock } = await openWatched()
    await fleet.start({ id: 'small', name: 'r', tasks: many(1_000) })
    await clock.settle()
    const kinds = appends[0]!.flatMap(({ entries }) => entries.map((entry) => entry['kind']))
    expect(kinds.slice(0, 2)).toEqual(['run.created', 'tasks.added'])
    expect(kinds).toContain('run.opened')
    expect(appends[0]!.flatMap(({ entries }) => entries).at(-1)).toMatchObject({ task: 't0', set: { worker: 'w1' } })
  })

  test('RU1 a large run is created slice by slice, each durable before the next is decided', async () => {
    const { fleet, store, appends, watched, clock, transport } = await openWatched()
    const stored: number[] = []
    watched.fate = () => {
      stored.push(store.lines('large').length)
      return 'store'
    }
    const run = await fleet.start({ id: 'large', name: 'r', tasks: many() })
    const added = appends.map((batches) => batches.flatMap(({ entries }) => entries.flatMap((entry) => entry['tasks'] ?? [])))
    expect(added.map((tasks) => tasks.length).slice(0, 6)).toEqual([250, 250, 250, 250, 200, 0])
    expect(stored.slice(0, 6).every((lines, index) => index === 0 || lines > stored[index - 1]!)).toBe(true)
    await clock.settle()
    expect(Object.keys(await statuses(run))).toEqual(many().map(({ id }) => id))
    expect(transport.attempts.map((attempt) => attempt.assign.task_id)).toEqual(['t0'])
  })

  test('RU1 tasks with much in them make short slices, and one that is too heavy is a slice of its own', async () => {
    const { fleet, appends } = await openWatched()
    const fat = (id: string, length: number) => task(id, { input: 'x'.repeat(length) })
    const tasks = [...Array.from({ length: 200 }, (_, index) => fat(`t${index}`, 10_000)), fat('huge', 1_000_000), task('last')]
    const run = await fleet.create({ name: 'r', tasks })
    const slices = appends.map((batches) => batches.flatMap(({ entries }) => entries.flatMap((entry) => entry['tasks'] ?? [])))
    expect(Math.max(...slices.slice(0, -3).map((slice) => JSON.stringify(slice).length))).toBeLessThan(300_000)
    expect(slices.map((slice) => slice.length).slice(-3)).toEqual([1, 1, 0])
    expect(await run.tasks()).toHaveLength(202)
  })

  test('RU1 SC5 a dependency may stand slices behind its dependant', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const tasks = many().map((one, index) => {
      if (index === 0) return { ...one, depends_on: ['t1', 't1199'] }
      return index === count - 1 ? { ...one, metadata: { priority: -1 } } : one
    })
    const run = await fleet.start({ name: 'r', tasks })
    await clock.settle()
    expect(transport.attempts.map((attempt) => attempt.assign.task_id)).toEqual(['t1199', 't1'])
    transport.attempt('t1').complete()
    await clock.settle()
    expect((await statuses(run))['t0']).toBe('blocked')
    transport.attempt('t1199').complete()
    await clock.settle()
    expect((await statuses(run))['t0']).not.toBe('blocked')
  })

  test('RU1 nothing of a run is seen, heard, leased or commanded before the entry that opens it is durable', async () => {
    const bench = await openWatched()
    const { fleet, store, watched, clock, transport, heard } = bench
    let open = (): void => undefined
    const held = new Promise<AppendFate>((resolve) => (open = () => resolve('store')))
    watched.fate = (_, batches) =>
      batches.some(({ entries }) => entries.some((entry) => entry['kind'] === 'run.opened')) ? held : 'store'
    const creation = fleet.start({ id: 'r1', name: 'r', tasks: many() }, { idempotencyKey: 'k' })
    await clock.settle()
    expect(entriesOf(store, 'r1').flatMap((entry) => entry.tasks ?? [])).toHaveLength(count)
    const control = openControl(store.peer())
    expect(await fleet.runs()).toEqual([])
    expect(await control.runs()).toEqual([])
    expect([await store.row({ id: 'r1' }), await store.row({ key: 'k' })]).toEqual([undefined, undefined])
    expect((await fleet.summary()).queued).toBe(0)
    await expect(fleet.run('r1')).rejects.toMatchObject({ code: 'unknown_run' })
    const reader = control.run('r1')
    for (const read of [reader.summary, reader.spec, reader.receipts, reader.result, reader.replay, () => reader.task('t0')])
      await expect(read()).rejects.toMatchObject({ code: 'unknown_run' })
    await expect(reader.events()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'unknown_run' })
    await expect(control.perform({ kind: 'run.cancel', run_id: 'r1', by: 'me' })).rejects.toMatchObject({ code: 'unknown_run' })
    expect(heard.filter((event) => event.run_id === 'r1')).toEqual([])
    expect(transport.attempts).toEqual([])
    open()
    const run = await creation
    await clock.settle()
    expect((await fleet.runs()).map((row) => [row.id, row.key, row.tasks])).toEqual([['r1', 'k', count]])
    expect((await run.summary()).queued).toBe(count - 1)
    expect(transport.attempts.map((attempt) => attempt.assign.task_id)).toEqual(['t0'])
    expect(heard.filter((event) => event.run_id === 'r1')[0]?.event).toBe('run.created')
  })

  test('RU1 EV2 what is heard of a large creation is what is replayed, in the same order', async () => {
    const { fleet, clock, heard } = await openBench({ limits: { eventBuffer: 10_000 } })
    const run = await fleet.start({ id: 'r1', name: 'r', tasks: many(3_000) })
    await clock.settle()
    const stop = new AbortController()
    const replayed: string[] = []
    const live = heard.filter((event) => event.run_id === 'r1').map((event) => event.cursor)
    const newest = (await run.replay({ limit: 1 })).events[0]?.cursor
    for await (const event of run.events({ signal: stop.signal })) {
      replayed.push(event.cursor)
      if (event.cursor === newest) break
    }
    expect(replayed.length).toBeGreaterThan(6_000)
    expect(live).toEqual(replayed)
  })
})

describe('EV7 of large entries', () => {
  test('EV7 pages of a large creation are as long as asked for, from its end and from its beginning', async () => {
    const { fleet } = await openBench({ leasing: false })
    const run = await fleet.create({ id: 'r1', name: 'r', tasks: many(20_000) })
    const newest = await run.replay()
    expect([newest.events.length, newest.has_more, newest.history_truncated]).toEqual([250, false, true])
    expect(newest.events.at(-1)?.task_id).toBe('t19999')
    const stop = new AbortController()
    const first: string[] = []
    for await (const event of run.events({ signal: stop.signal })) {
      first.push(event.cursor)
      if (first.length === 12) break
    }
    const page = await run.replay({ after: first[0]!, limit: 11 })
    expect(page.events.map(({ cursor }) => cursor)).toEqual(first.slice(1))
    expect(page.has_more).toBe(true)
  })
})

describe('RU1 failing in the middle', () => {
  test.each([1, 2, 4, 6])('RU1 a store that refuses append %i leaves nothing of the run, and tells the caller', async (bad) => {
    const bench = await openWatched()
    const { fleet, store, watched, clock, heard } = bench
    watched.fate = (number) => (number === bad ? 'refuse' : 'store')
    const creation = outcome(fleet.start({ id: 'r1', name: 'r', tasks: many() }, { idempotencyKey: 'k' }))
    await clock.advance(10_000)
    expect(await creation).toBe('not_stored')
    expect(store.lines('r1')).toEqual([])
    expect(await fleet.runs()).toEqual([])
    expect(heard.filter((event) => event.run_id === 'r1')).toEqual([])
    // The key is free, and the id is the old run's or nobody's.
    expect(await outcome(fleet.start({ name: 'r', tasks: many() }, { idempotencyKey: 'k' }))).toBe('created')
    expect(await outcome(fleet.start({ id: 'r1', name: 'r', tasks: many() }))).toBe(bad === 1 ? 'created' : 'run_exists')
  })

  test('RU1 what cannot be taken back at once is taken back as soon as the store can be written', async () => {
    const { fleet, store, watched, clock } = await openWatched()
    let failing = false
    watched.fate = (number) => {
      failing ||= number === 3
      return failing ? 'refuse' : 'store'
    }
    const creation = outcome(fleet.create({ id: 'r1', name: 'r', tasks: many() }))
    await clock.advance(60_000)
    expect(await creation).toBe('not_stored')
    expect(store.lines('r1').length).toBeGreaterThan(0)
    await expect(fleet.run('r1')).rejects.toMatchObject({ code: 'unknown_run' })
    failing = false
    watched.fate = () => 'store'
    await clock.advance(10_000)
    expect(store.lines('r1')).toEqual([])
  })

  test.each([2, 6])('RU1 ST1 append %i that was stored without the caller learning it does no harm', async (bad) => {
    const { fleet, watched, clock } = await openWatched()
    watched.fate = (number) => (number === bad ? 'store-then-unknown' : 'store')
    const creation = fleet.start({ id: 'r1', name: 'r', tasks: many() })
    await clock.advance(10_000)
    expect((await creation).created).toBe(true)
    expect((await fleet.runs()).map((row) => [row.id, row.tasks])).toEqual([['r1', count]])
    expect(Object.keys(await statuses(await creation))).toHaveLength(count)
  })

  test('RU1 CO8 closing in the middle of a creation ends it with fleet_closed and leaves nothing', async () => {
    const bench = await openWatched()
    const { fleet, store, watched, clock } = bench
    let closed: Promise<void> | undefined
    watched.fate = (number) => {
      if (number === 3) closed ??= fleet.close()
      return 'store'
    }
    const creation = outcome(fleet.start({ id: 'r1', name: 'r', tasks: many() }, { idempotencyKey: 'k' }))
    await clock.advance(1_000)
    expect(await creation).toBe('fleet_closed')
    await closed
    expect(store.lines('r1')).toEqual([])
    const next = await nextFleet(bench)
    expect(await next.fleet.runs()).toEqual([])
    expect(await outcome(next.fleet.start({ name: 'r', tasks: many() }, { idempotencyKey: 'k' }))).toBe('created')
  })

  test('RU1 CO8 closing while a run is still being read ends its creation with fleet_closed', async () => {
    const { fleet, store } = await openBench()
    const creation = outcome(fleet.create({ id: 'r1', name: 'r', tasks: many() }))
    await fleet.close()
    expect(await creation).toBe('fleet_closed')
    expect(store.lines('r1')).toEqual([])
  })

  test.each([1, 2, 6])('RU1 RU2 a crash at append %i leaves neither run nor key to whoever opens the store next', async (bad) => {
    const bench = await openWatched()
    const { fleet, store, watched, clock } = bench
    watched.fate = (number) => {
      if (number === bad) store.crash()
      return 'store'
    }
    const creation = outcome(fleet.start({ id: 'r1', name: 'r', tasks: many() }, { idempotencyKey: 'k' }))
    await clock.advance(10_000)
    expect(await creation).toBe('store_conflict')
    const left = store.peer().lines('r1').length
    expect(left > 0).toBe(bad > 1)
    const next = await nextFleet(bench)
    await clock.settle()
    expect(await next.fleet.runs()).toEqual([])
    expect(next.store.lines('r1')).toEqual([])
    expect(next.transport.attempts).toEqual([])
    const again = await next.fleet.start({ name: 'r', tasks: many() }, { idempotencyKey: 'k' })
    expect([again.created, again.id === 'r1']).toEqual([true, false])
  })

  test('RU1 a crash after the entry that opens the run leaves it to the next fleet, with its key', async () => {
    const bench = await openWatched()
    const { fleet, store, watched, clock } = bench
    watched.fate = (number) => {
      if (number === 7) store.crash()
      return 'store'
    }
    await fleet.create({ id: 'r1', name: 'r', tasks: many() }, { idempotencyKey: 'k' })
    void fleet.create({ name: 'other', tasks: many(1) }).catch(() => undefined)
    await clock.settle()
    const next = await nextFleet(bench)
    const found = await next.fleet.create({ id: 'r1', name: 'r', tasks: many() }, { idempotencyKey: 'k' })
    expect([found.id, found.created]).toEqual(['r1', false])
  })
})

describe('RU2 in slices', () => {
  test('RU2 calls with one key make one run, also while the first is being created slice by slice', async () => {
    const { fleet, watched, clock, store } = await openWatched()
    let second: Promise<unknown> | undefined
    watched.fate = (number) => {
      if (number === 3) second ??= outcome(fleet.start({ name: 'r', tasks: many() }, { idempotencyKey: 'k' }))
      return 'store'
    }
    const first = fleet.start({ name: 'r', tasks: many() }, { idempotencyKey: 'k' })
    expect(await outcome(first)).toBe('created')
    expect(await second).toBe('found')
    await clock.settle()
    expect(await fleet.runs()).toHaveLength(1)
    expect(entriesOf(store, (await first).id).filter((entry) => entry.created !== undefined)).toHaveLength(1)
  })

  test('RU2 of two creations of one id that are both in slices one wins, and the other is told', async () => {
    const { fleet, clock } = await openBench()
    const calls = ['first', 'second'].map((name) => fleet.create({ id: 'same', name, tasks: many() }))
    expect(await Promise.all(calls.map(outcome))).toEqual(['created', 'run_exists'])
    await clock.settle()
    expect(await (await fleet.run('same')).summary()).toMatchObject({ name: 'first', queued: count })
  })

  test('RU2 the digest of a spec is that of its JSON with sorted members, as stores have kept it', async () => {
    const { fleet, store } = await openBench()
    const spec = {
      name: 'r',
      labels: { b: '2', a: '1' },
      roles: [],
      tasks: [task('a', { input: { 10: 1, 9: [{ z: 1, y: 'ü' }] } })],
    }
    const run = await fleet.create(spec, { idempotencyKey: 'k' })
    expect((await store.row({ id: run.id }))?.digest).toBe('d40c50aebe2f5fefcfd10eba4bf6fccff27079810e6b03543218a3a90b6f460a')
  })
})

describe('RU8 in slices', () => {
  test('RU8 many tasks are added whole, and refused whole with every problem', async () => {
    const { fleet } = await openBench()
    const run = await fleet.start({ name: 'r', open: true, tasks: [] })
    const bad = many().map((one, index) => (index % 600 === 1 ? { ...one, name: '', depends_on: ['nobody'] } : one))
    await expect(run.add(bad)).rejects.toMatchObject({
      code: 'invalid_document',
      message: expect.stringMatching(
        /^tasks\[1\]\.name.*\ntasks\[601\]\.name.*\ntasks\[1\]\.depends_on.*\ntasks\[601\]\.depends_on/,
      ),
    })
    expect(await run.tasks()).toEqual([])
    await run.add(many())
    expect(await run.tasks()).toHaveLength(count)
    await expect(run.add(many(3))).rejects.toMatchObject({ code: 'invalid_document' })
  })

  test('RU8 of two additions of the same ids at the same moment one is told', async () => {
    const { fleet } = await openBench()
    const run = await fleet.start({ name: 'r', open: true, tasks: [] })
    const outcomes = await Promise.allSettled([run.add(many()), run.add(many())])
    expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value.changed : codeOf(one.reason)))).toEqual([
      true,
      'invalid_document',
    ])
    expect(await run.tasks()).toHaveLength(count)
  })
})
