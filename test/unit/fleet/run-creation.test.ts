import { describe, expect, test } from 'vitest'
import { entriesOf, statuses } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { seededIds } from '../../../src/host/seeded-ids.ts'

const many = (count: number) => Array.from({ length: count }, (_, index) => task(`t${index}`))

describe('RU1', () => {
  test('RU1 tasks are written in slices of at most 1,000, and the last entry opens the run', async () => {
    const { fleet, store } = await openBench()
    const run = await fleet.create({ name: 'r', tasks: many(2_001) })
    const entries = entriesOf(store, run.id)
    const slices = entries.flatMap((entry) => (entry.kind === 'tasks.added' ? [entry.tasks ?? []] : []))
    expect(slices.length).toBeGreaterThan(2)
    expect(Math.max(...slices.map((slice) => slice.length))).toBeLessThanOrEqual(1_000)
    expect(slices.flat().map(({ id }) => id)).toEqual(many(2_001).map(({ id }) => id))
    expect(entries.at(-1)).toMatchObject({ kind: 'run.opened', run: { opened: true } })
    expect(Object.keys(await statuses(run))).toHaveLength(2_001)
  })

  test('RU1 a store that refuses the creation leaves nothing of it (W8)', async () => {
    let refusing = false
    const { fleet, clock, store } = await openBench({ storeParts: { beforeAppend: () => (refusing ? 'refuse' : 'store') } })
    refusing = true
    const outcome = fleet.start({ id: 'r1', name: 'r', tasks: many(3) }).then(
      () => 'created',
      (error: { code: string }) => error.code,
    )
    await clock.settle()
    refusing = false
    await clock.advance(10_000)
    expect(await outcome).toBe('not_stored')
    expect(store.lines('r1')).toEqual([])
    expect(await fleet.runs()).toEqual([])
    await expect(fleet.run('r1')).rejects.toMatchObject({ code: 'unknown_run' })
    // The positive control: the same call goes through once the store takes it.
    const run = await fleet.start({ id: 'r1', name: 'r', tasks: many(3) })
    expect(Object.keys(await statuses(run))).toHaveLength(3)
  })

  test('RU1 a run without the entry that opens it is discarded when the store opens, and nothing of it is ever leased (W8)', async () => {
    const { store, lines } = await halfCreated(0)
    const { fleet, transport } = await openBench({ store })
    expect(lines).toBe(2)
    expect(transport.attempts).toHaveLength(0)
    expect(await fleet.runs()).toEqual([])
    await expect(fleet.run('half')).rejects.toMatchObject({ code: 'unknown_run' })
  })

  test('RU1 a run with the entry that opens it is kept when the store opens', async () => {
    const { store } = await halfCreated(1)
    const { fleet } = await openBench({ store })
    expect((await fleet.runs()).map((row) => row.id)).toEqual(['half'])
    expect(await statuses(await fleet.run('half'))).toEqual({ a: 'enqueued' })
  })

  test('RU1 nobody can start or see a half creation, by a fleet that carries on nothing', async () => {
    const { store } = await halfCreated(0)
    const { fleet, clock, transport } = await openBench({ store, carryOn: 'none' })
    const half = await fleet.run('half').catch(() => undefined)
    if (half !== undefined) {
      await expect(half.start()).rejects.toMatchObject({ code: 'unknown_run' })
      await expect(half.summary()).rejects.toMatchObject({ code: 'unknown_run' })
    }
    await clock.settle()
    expect(transport.attempts).toHaveLength(0)
  })

  /** A store in which a creation was cut off after so many of its entries following the tasks. */
  async function halfCreated(rest: 0 | 1) {
    const clock = createVirtualClock()
    const first = await openBench({ clock, leasing: false })
    await first.fleet.create({ id: 'half', name: 'r', tasks: [task('a')] })
    const whole = entriesOf(first.store, 'half')
    const cut = whole.findIndex((entry) => entry.kind === 'run.opened')
    const row = await first.store.row({ id: 'half' })
    await first.fleet.close()
    const store = createMemoryStore({ clock, ids: seededIds('half') })
    await store.open({ instance: 'writer' })
    const entries = whole.slice(0, rest === 1 ? whole.length : cut)
    await store.append([{ run: 'half', after: 0, entries: entries as never, ...(row !== undefined && { row }) }])
    await store.close()
    return { store, lines: entries.length }
  }
})

describe('RU2', () => {
  const spec = { name: 'r', tasks: [task('a')] }

  test('RU2 creating twice with the same idempotency key gives the first run and says so', async () => {
    const { fleet } = await openBench()
    const first = await fleet.create(spec, { idempotencyKey: 'k' })
    const second = await fleet.create(spec, { idempotencyKey: 'k' })
    expect([first.created, second.created]).toEqual([true, false])
    expect(second.id).toBe(first.id)
    expect(await fleet.runs()).toHaveLength(1)
    // The positive control: another key makes another run.
    expect((await fleet.create(spec, { idempotencyKey: 'l' })).id).not.toBe(first.id)
    expect((await fleet.create(spec)).id).not.toBe(first.id)
  })

  test('RU2 the same key with another spec is refused and changes nothing', async () => {
    const { fleet } = await openBench()
    const first = await fleet.create(spec, { idempotencyKey: 'k' })
    await expect(fleet.create({ ...spec, tasks: [task('b')] }, { idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'run_conflict',
      details: { run_id: first.id },
    })
    await expect(fleet.create({ ...spec, name: 'other' }, { idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'run_conflict',
    })
    expect(await fleet.runs()).toHaveLength(1)
  })

  test('RU2 a spec that says the same in another order is the same spec', async () => {
    const { fleet } = await openBench()
    const first = await fleet.create({ ...spec, labels: { a: '1', b: '2' } }, { idempotencyKey: 'k' })
    const second = await fleet.create({ labels: { b: '2', a: '1' }, tasks: spec.tasks, name: 'r' }, { idempotencyKey: 'k' })
    expect(second.id).toBe(first.id)
  })

  test('RU2 calls at the same moment with one key make one run', async () => {
    const { fleet } = await openBench()
    const runs = await Promise.all([1, 2, 3].map(() => fleet.start(spec, { idempotencyKey: 'k' })))
    expect(new Set(runs.map((run) => run.id)).size).toBe(1)
    expect(runs.map((run) => run.created)).toEqual([true, false, false])
    expect(await fleet.runs()).toHaveLength(1)
  })

  test('RU2 a call that failed does not keep the next one with its key from creating', async () => {
    const { fleet } = await openBench()
    const bad = fleet.create({ name: 'r', tasks: [] }, { idempotencyKey: 'k' })
    const good = fleet.create(spec, { idempotencyKey: 'k' })
    await expect(bad).rejects.toMatchObject({ code: 'invalid_document' })
    expect((await good).created).toBe(true)
  })

  test('RU2 the key outlives the fleet', async () => {
    const first = await openBench()
    const run = await first.fleet.create(spec, { idempotencyKey: 'k' })
    await first.fleet.close()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    const again = await second.fleet.create(spec, { idempotencyKey: 'k' })
    expect([again.id, again.created]).toEqual([run.id, false])
  })

  test('RU2 starting with the key of a run that was only created starts it', async () => {
    const { fleet, clock } = await openBench()
    const created = await fleet.create(spec, { idempotencyKey: 'k' })
    expect((await created.summary()).status).toBe('pending')
    const started = await fleet.start(spec, { idempotencyKey: 'k' })
    await clock.settle()
    expect([started.id, (await started.summary()).status]).toEqual([created.id, 'running'])
  })
})

describe('RU2 ids', () => {
  test('RU2 an id that a run has is refused to another, and the first run is untouched (W25)', async () => {
    const { fleet, store } = await openBench()
    const first = await fleet.create({ id: 'same', name: 'first', tasks: [task('a')] })
    const before = store.lines('same')
    await expect(fleet.create({ id: 'same', name: 'second', tasks: [task('b')] })).rejects.toMatchObject({ code: 'run_exists' })
    expect(store.lines('same')).toEqual(before)
    expect((await first.spec()).name).toBe('first')
  })

  test('RU2 two creations of one id at the same moment: one wins, the other is told, and the journal stays whole (W25)', async () => {
    const { fleet, store, heard, clock } = await openBench()
    const outcomes = await Promise.allSettled([
      fleet.create({ id: 'same', name: 'first', tasks: [task('a')] }),
      fleet.create({ id: 'same', name: 'second', tasks: [task('b')] }),
    ])
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'created' : outcome.reason.code))).toEqual([
      'created',
      'run_exists',
    ])
    expect(entriesOf(store, 'same').filter((entry) => entry.created !== undefined)).toHaveLength(1)
    expect(await statuses(await fleet.run('same'))).toEqual({ a: 'enqueued' })
    await clock.settle()
    expect(heard.map((event) => event.event)).not.toContain('store.failing')
  })

  test('RU2 runs that name no id get ids of their own', async () => {
    const { fleet } = await openBench()
    const runs = await Promise.all(Array.from({ length: 50 }, () => fleet.create({ name: 'r', tasks: [task('a')] })))
    expect(new Set(runs.map((run) => run.id)).size).toBe(50)
  })
})

describe('RU3', () => {
  test('RU3 a run of no tasks is refused, and nothing of it is stored', async () => {
    const { fleet } = await openBench()
    await expect(fleet.create({ name: 'r', tasks: [] })).rejects.toMatchObject({ code: 'invalid_document' })
    expect(await fleet.runs()).toEqual([])
  })

  test('RU3 a run that was created open may be empty, takes tasks, and ends only after seal', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [], open: true })
    await clock.settle()
    expect((await run.summary()).status).toBe('queued')
    await run.add([task('a')])
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    expect(await run.summary()).toMatchObject({ status: 'running', completed: 1 })
    expect(await run.seal()).toMatchObject({ changed: true })
    expect((await run.summary()).status).toBe('completed')
    expect(await run.seal()).toMatchObject({ changed: false })
  })

  test('RU3 an open run of no tasks that is sealed completes', async () => {
    const { fleet } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [], open: true })
    await run.seal()
    expect((await run.result()).status).toBe('completed')
  })

  test('RU3 a run that was not created open is sealed from the start', async () => {
    const { fleet } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    expect(await run.seal()).toMatchObject({ changed: false })
    await expect(run.add([task('b')])).rejects.toMatchObject({ code: 'run_sealed' })
  })

  test('RU3 with a failed and a cancelled task the run has failed', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 3 })
    const run = await fleet.start({ name: 'r', tasks: ['a', 'b', 'c'].map((id) => task(id)) })
    await clock.settle()
    transport.attempt('a').complete()
    transport.attempt('b').fail('no', { recoverable: false })
    await clock.settle()
    expect((await run.summary()).status).toBe('running')
    await run.cancelTask('c')
    expect((await run.summary()).status).toBe('failed')
  })

  test('RU3 with a cancelled and no failed task the run is cancelled', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    await run.cancelTask('b')
    expect((await run.summary()).status).toBe('cancelled')
  })

  test('RU3 partial receipts leave the run completed, and the summary counts them (M30)', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b', { scorer: { kind: 'exit_code' } })] })
    await clock.settle()
    transport.attempt('a').complete()
    transport.attempt('b').complete({ exit_code: 0 })
    await clock.settle()
    expect(await run.summary()).toMatchObject({ status: 'completed', completed: 2, partial: 1, failed: 0 })
  })

  test('RU3 a run whose creation went wrong in its spec strands nothing (W22)', async () => {
    const { fleet, clock, transport } = await openBench()
    const bad = fleet.start({ name: 'r', tasks: [task('a', { depends_on: ['nobody'] })] })
    await expect(bad).rejects.toMatchObject({ code: 'invalid_document' })
    const unenforceable = fleet.start({ name: 'r', tasks: [task('a', { worker: { agent_profile: 'p' } })] })
    await expect(unenforceable).rejects.toMatchObject({
      code: 'unenforceable',
      message: expect.stringContaining('agent_profile'),
    })
    await clock.settle()
    expect(await fleet.runs()).toEqual([])
    expect(transport.attempts).toHaveLength(0)
  })

  test('RU3 an unknown agent profile is refused before the run exists (M16)', async () => {
    const { fleet } = await openBench()
    await expect(fleet.create({ name: 'r', tasks: [task('a', { worker: { agent_profile: 'nobody' } })] })).rejects.toMatchObject({
      code: 'unenforceable',
      message: expect.stringContaining('tasks[0].worker.agent_profile'),
    })
    expect(await fleet.runs()).toEqual([])
  })

  test('RU3 a worker id of more than one line is refused before the run exists (M4)', async () => {
    const { fleet } = await openBench()
    const worker = { id: 'w\r\n2', name: 'w', host: { kind: 'local' as const } }
    await expect(fleet.create({ name: 'r', tasks: [task('a')], worker_specs: [worker] })).rejects.toMatchObject({
      code: 'invalid_document',
    })
    expect(await fleet.runs()).toEqual([])
  })
})
