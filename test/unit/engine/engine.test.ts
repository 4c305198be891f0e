import { describe, expect, test } from 'vitest'
import { cancelOneTask } from '../../../src/engine/commands/task.ts'
import type { EnginePorts } from '../../../src/engine/core.ts'
import { engineDefaults } from '../../../src/engine/defaults.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { just } from '../../../src/engine/entry.ts'
import { controlledAppends, journalOf } from '../../support/journal.ts'
import { openEngine } from '../../support/open-engine.ts'
import { createHeldTransport } from '../../support/worker-bench.ts'

const statusOf = (engine: Engine, task: string) => engine.look('r', (run) => run?.tasks.get(task)?.status)
const cancel = (engine: Engine, task: string) =>
  engine.command((context) => {
    const run = context.state.runs.get('r')!
    return cancelOneTask(context, run, run.tasks.get(task)!, { by: 'me', reason: 'no need' })
  })

describe('leasing', () => {
  test('CO7 ST11 nothing is leased before it is switched on, nor after it is switched off', async () => {
    const { engine, clock, transport, create } = await openEngine({ worker: { facts: { slots: 2 } } })
    await create('r', { a: {} })
    await clock.advance('1h')
    expect([engine.leasing, transport.attempts.length]).toEqual([false, 0])
    engine.leasing = true
    await clock.settle()
    expect([engine.leasing, transport.attempts.length]).toEqual([true, 1])
    engine.leasing = false
    await create('s', { b: {} })
    expect(transport.attempts).toHaveLength(1)
  })

  test('CO8 an engine that closes leases nothing and refuses commands', async () => {
    const { engine, clock, transport, create } = await openEngine({ worker: { facts: { slots: 2 } } })
    engine.leasing = true
    expect(engine.closing).toBe(false)
    await create('r', { a: {} })
    expect(transport.attempts).toHaveLength(1)
    engine.closing = true
    expect(engine.closing).toBe(true)
    await expect(engine.command(() => just({ on: 'r', kind: 'run.stepped' }))).rejects.toMatchObject({ code: 'fleet_closed' })
    transport.attempt('a').fail('no', { failure_kind: 'transport' })
    await clock.advance('1m')
    expect(transport.attempts).toHaveLength(1)
  })

  test('SC6 what waits for its interval is leased when that has passed, without anybody asking', async () => {
    const perInterval = { starts: 1, intervalMs: 5_000 }
    const { engine, clock, transport, create } = await openEngine({
      ...{ concurrency: { everyKey: { perInterval } }, worker: { facts: { slots: 2 } } },
    })
    engine.leasing = true
    await create('r', { a: { concurrency_key: 'k' }, b: { concurrency_key: 'k' } })
    expect(transport.attempts).toHaveLength(1)
    await clock.advance(4_999)
    expect(transport.attempts).toHaveLength(1)
    await clock.advance(1)
    expect(transport.attempts).toHaveLength(2)
  })

  test('WO3 the slot of a revoked attempt stays taken until its end is confirmed; that of one that ended does not', async () => {
    const { engine, clock, transport, create } = await openEngine()
    engine.leasing = true
    await create('r', { a: {}, b: {}, c: {} })
    const lingering = () => [...engine.core.presence.all()].filter((attempt) => attempt.lingering).map(({ task }) => task)
    await cancel(engine, 'a')
    await clock.settle()
    expect([lingering(), transport.attempts.length]).toEqual([['a'], 1])
    transport.attempt('a').confirm()
    await clock.settle()
    expect([lingering(), transport.attempts.length]).toEqual([[], 2])
    transport.attempt('b').complete()
    await clock.settle()
    expect([lingering(), transport.attempts.length]).toEqual([[], 3])
  })

  test('SE1 a lease is held to the terms of its worker, and a retry waits as long as chance has it', async () => {
    const { engine, clock, transport, create, store } = await openEngine({
      ...{ worker: { facts: { trust: 'operator' } }, ids: { next: (prefix) => `${prefix}-1`, random: () => 0.5 } },
      defaults: { ...engineDefaults, jitter: true },
    })
    engine.leasing = true
    await create('r', { a: { retry_policy: { initial_backoff_seconds: 8 } } })
    const leased = (await journalOf(store, 'r')).find((entry) => entry.set?.leasedAt != null)
    expect(leased?.set?.permissions).toMatchObject({ source: 'trust level operator' })
    transport.attempt('a').fail('no')
    await clock.settle()
    const failed = (await journalOf(store, 'r')).find((entry) => entry.set?.notBeforeMs != null)
    expect(failed?.set?.notBeforeMs).toBe(6_000)
  })
})

describe('entries', () => {
  test('EV1 WO1 each stream has a sequence of its own, that of the fleet too', async () => {
    const { engine, create, store } = await openEngine()
    const record = { id: 'w2', incarnation: 'i', draining: false, retired: false }
    await engine.command(() => just({ on: 'fleet', kind: 'worker.registered', record }))
    await create('r', { a: {} })
    await create('s', { a: {} })
    for (const id of ['fleet', 'r', 's']) {
      const seqs = (await journalOf(store, id)).map(({ seq }) => seq)
      expect(seqs.length, id).toBeGreaterThan(1)
      expect(seqs).toEqual(seqs.map((_, index) => index + 1))
    }
  })

  test('CO2 entries are of the moment at which they were decided', async () => {
    const { engine, clock, create, store } = await openEngine()
    await create('r', { a: {} })
    const before = clock.now()
    await clock.advance('1h')
    await cancel(engine, 'a')
    const moments = (await journalOf(store, 'r')).map(({ at }) => at)
    expect(new Set(moments)).toEqual(new Set([before, before + 3_600_000]))
  })

  test('AL1 what a task raises is owed to its channels, in an entry of its own', async () => {
    const { engine, clock, transport, create, store } = await openEngine()
    engine.leasing = true
    const alert_policy = { channels: [{ kind: 'slack', url: 'https://a.example/' }] }
    await create('r', { a: { retry_policy: { max_attempts: 1 }, alert_policy } })
    transport.attempt('a').fail('no')
    await clock.settle()
    expect((await journalOf(store, 'r')).map(({ kind }) => kind)).toContain('alert.ordered')
    await create('s', { b: { retry_policy: { max_attempts: 1 } } })
    transport.attempt('b').fail('no')
    await clock.settle()
    expect((await journalOf(store, 's')).map(({ kind }) => kind)).not.toContain('alert.ordered')
  })
})

describe('looking', () => {
  test('CO1 what is shown is durable: a view waits for the batch that it saw', async () => {
    const appends = controlledAppends()
    const { engine, clock, create } = await openEngine({ storeParts: { beforeAppend: () => appends.beforeAppend() } })
    await create('r', { a: {} })
    appends.hold()
    const cancelling = cancel(engine, 'a')
    const seen: unknown[] = []
    const looking = statusOf(engine, 'a').then((status) => seen.push(status))
    await clock.settle()
    expect(seen).toEqual([])
    appends.go()
    await Promise.all([cancelling, looking])
    expect(seen).toEqual(['cancelled'])
  })

  test('CO1 what was discarded is not shown: the view is asked again, of what the store has', async () => {
    const appends = controlledAppends()
    const { engine, clock, create } = await openEngine({ storeParts: { beforeAppend: () => appends.beforeAppend() } })
    await create('r', { a: {} })
    appends.hold()
    appends.next = ['refuse']
    const cancelling = cancel(engine, 'a').catch((error: { code: string }) => error.code)
    const looking = statusOf(engine, 'a')
    await clock.settle()
    appends.go()
    await clock.advance('1s')
    expect(await cancelling).toBe('not_stored')
    expect(await looking).toBe('enqueued')
  })

  test('CO1 ST5 while a failing store is waited for, what the store has is shown at once', async () => {
    const appends = controlledAppends()
    const { engine, clock, create } = await openEngine({ storeParts: { beforeAppend: () => appends.beforeAppend() } })
    await create('r', { a: {} })
    appends.next = ['refuse']
    const cancelling = cancel(engine, 'a').catch((error: { code: string }) => error.code)
    await clock.settle()
    const seen: unknown[] = []
    void statusOf(engine, 'a').then((status) => seen.push(status))
    await clock.settle()
    expect(seen).toEqual(['enqueued'])
    await clock.advance('1s')
    expect(await cancelling).toBe('not_stored')
  })

  test('CO9 a run that is not in memory is looked at in the store, and one that is nowhere is none', async () => {
    const { engine, clock, create } = await openEngine()
    await create('r', { a: {} })
    await cancel(engine, 'a')
    await clock.settle()
    expect(engine.core.state.runs.has('r')).toBe(false)
    expect(await statusOf(engine, 'a')).toBe('cancelled')
    expect(await engine.look('unknown', (run) => run)).toBeUndefined()
    expect(engine.core.state.runs.size).toBe(0)
  })
})

describe('taking away', () => {
  test('CO9 a run that has ended leaves memory once the end of its last attempt is confirmed', async () => {
    const { engine, clock, create, transport } = await openEngine()
    engine.leasing = true
    await create('r', { a: {} })
    await cancel(engine, 'a')
    await clock.settle()
    expect(engine.core.state.runs.get('r')?.status).toBe('cancelled')
    transport.attempt('a').confirm()
    await clock.settle()
    expect(engine.core.state.runs.has('r')).toBe(false)
  })

  const record = { id: 'w2', incarnation: 'i', draining: false, retired: false }

  test('RU8 ST7 a run that is deleted is gone here and in the store; the stream of the fleet is kept before', async () => {
    const { engine, create, store } = await openEngine()
    await create('r', { a: {} })
    await create('s', { a: {} })
    await engine.command(() => just({ on: 'fleet', kind: 'worker.registered', record }))
    expect(await store.loadSnapshot('fleet')).toBeUndefined()
    await engine.drop('r')
    expect([...engine.core.state.runs.keys()]).toEqual(['s'])
    expect((await store.runs()).map(({ id }) => id)).toEqual(['s'])
    expect((await store.loadSnapshot('fleet'))?.records.map(({ key }) => key)).toContain('worker:w2')
    // One that is not in memory is deleted all the same.
    await expect(engine.drop('r')).resolves.toBeUndefined()
  })

  test('RU1 a run that is taken back is gone here at once, then in the store', async () => {
    const { engine, create, store } = await openEngine()
    await create('r', { a: {} })
    const discarding = engine.discard('r')
    expect(engine.core.state.runs.size).toBe(0)
    await discarding
    expect(await store.runs()).toEqual([])
  })

  test('RU1 nobody hears of a run that is taken back before it was opened, though it is opened under the same name later', async () => {
    const { engine, clock, create, heard } = await openEngine()
    const header = {
      ...{
        id: 'r',
        name: 'first',
        short: 'x',
        labels: {},
        worker_specs: [],
        open: false,
        workspace: '/w',
        createdAt: clock.now(),
      },
    }
    await engine.command(() => just({ on: 'r', kind: 'run.created', created: header, run: { updatedAt: 1 } }))
    await engine.discard('r')
    await create('s', { a: {} })
    await engine.announced()
    expect(heard.filter(({ run_id }) => run_id === 'r')).toEqual([])
    expect(heard.filter(({ run_id }) => run_id === 's').length).toBeGreaterThan(0)
  })

  test('ST7 the stream of the fleet is kept when it is asked, and runs when they are', async () => {
    const { engine, clock, create, store } = await openEngine({ defaults: { ...engineDefaults, snapshotAtEndAfter: 1 } })
    await create('r', { a: {} })
    await engine.command(() => just({ on: 'fleet', kind: 'worker.registered', record }))
    await engine.keepFleetStream()
    expect((await store.loadSnapshot('fleet'))?.records).toHaveLength(2)
    expect(await store.loadSnapshot('r')).toBeUndefined()
    await engine.saveSnapshots()
    await clock.settle()
    expect((await store.loadSnapshot('r'))?.records.map(({ key }) => key)).toEqual(['run', 'common:a', 'task:a'])
  })
})

describe('what keeps the process alive', () => {
  test('CO7 it is a task that is open in a run that is carried and started, or closing; nothing else', async () => {
    const { engine, clock, create, keepsAlive } = await openEngine()
    const look = () => {
      engine.core.deadlines.refresh()
      return keepsAlive()
    }
    engine.core.deadlines.after(60_000, () => undefined)
    expect(look()).toBe(false)
    await create('pending', { a: {} }, { pending: true })
    expect(look()).toBe(false)
    await create('r', { a: {} })
    expect(look()).toBe(true)
    const run = engine.core.state.runs.get('r')!
    run.carried = false
    expect(look()).toBe(false)
    run.carried = true
    expect(look()).toBe(true)
    await cancel(engine, 'a')
    await clock.settle()
    expect(look()).toBe(false)
    // One that waits for its caller waits for nothing here.
    await create('open', {}, { open: true })
    expect([look(), engine.core.state.runs.has('open')]).toEqual([false, true])
    engine.closing = true
    expect(look()).toBe(true)
  })
})

describe('what a worker may forget', () => {
  async function withWorker(appends = controlledAppends(), collector?: EnginePorts['collector']) {
    const transport = createHeldTransport()
    const bench = await openEngine({
      storeParts: { beforeAppend: () => appends.beforeAppend() },
      worker: { transport },
      ...(collector && { collector }),
    })
    const { channel, launch } = transport.launches[0]!
    const say = (message: object) => channel.say({ run_id: 'r', task_id: 'a', attempt: 1, ...message } as never)
    channel.say({ type: 'hello', worker_id: 'w1', incarnation: 'i', attempts: [] })
    await bench.clock.settle()
    bench.engine.leasing = true
    await bench.create('r', { a: {} })
    const forgets = async () => {
      await bench.clock.settle()
      const asked = { may: false }
      void launch.kept().then(() => (asked.may = true))
      return asked
    }
    return { ...bench, appends, say, forgets }
  }

  test('HO7 CO1 what was read is kept once it is durable, and at once where nothing is under way', async () => {
    const { appends, say, forgets, clock } = await withWorker()
    const idle = await forgets()
    await clock.settle()
    expect(idle.may).toBe(true)
    appends.hold()
    say({ type: 'accepted' })
    const asked = await forgets()
    await clock.advance('10s')
    expect(asked.may).toBe(false)
    appends.go()
    await clock.settle()
    expect(asked.may).toBe(true)
  })

  test('HO7 ST5 what a failing store refuses is kept only once it works again', async () => {
    const { appends, say, forgets, clock } = await withWorker()
    appends.otherwise = 'refuse'
    say({ type: 'accepted' })
    const asked = await forgets()
    await clock.advance('30s')
    expect(asked.may).toBe(false)
    appends.otherwise = 'store'
    await clock.advance('10s')
    expect(asked.may).toBe(true)
  })

  test('HO7 AR1 an artifact that is being collected is not kept yet', async () => {
    const collecting: { done: () => void } = { done: () => undefined }
    const { say, forgets, clock } = await withWorker(controlledAppends(), {
      log: () => Promise.resolve(),
      collect: () => new Promise((resolve) => (collecting.done = () => resolve({ kind: 'log', path: 'p' }))),
      finish: () => Promise.resolve(undefined),
    })
    say({ type: 'accepted' })
    say({ type: 'artifact', report: 1, kind: 'log', path: 'p' })
    const asked = await forgets()
    await clock.advance('10s')
    expect(asked.may).toBe(false)
    collecting.done()
    await clock.settle()
    expect(asked.may).toBe(true)
  })
})

describe('the rest', () => {
  test('RU10 a run that is stalled when the engine is opened is told of once there was time to listen', async () => {
    const { engine, clock, create, heard } = await openEngine()
    await create('r', { a: { handler: 'nobody' } })
    await clock.advance('1s')
    const stalled = () => heard.filter(({ event }) => event === 'run.stalled')
    expect(stalled()).toEqual([])
    engine.opened()
    await clock.advance(0)
    expect(stalled()).toMatchObject([{ run_id: 'r', payload: { waiting: ['a'] } }])
  })

  test('WO a worker is drained with the grace that is given', async () => {
    const { engine, clock, create, transport, worker } = await openEngine()
    engine.leasing = true
    await create('r', { a: {} })
    transport.attempt('a').accept()
    await clock.settle()
    const drained = engine.drain(worker, 5_000)
    await clock.advance(4_999)
    expect(transport.attempt('a').stopped).toBeUndefined()
    await clock.advance(1)
    expect(transport.attempt('a').stopped).toMatchObject({ reason: expect.any(String) })
    await clock.advance('1m')
    await drained
    expect(worker.status).toBe('retired')
  })

  test('CO8 an engine that gives up on its store does not wait for it', async () => {
    const appends = controlledAppends()
    const { engine, clock, create } = await openEngine({ storeParts: { beforeAppend: () => appends.beforeAppend() } })
    await create('r', { a: {} })
    appends.otherwise = 'refuse'
    engine.giveUpOnStore()
    expect(await cancel(engine, 'a').catch((error: { code: string }) => error.code)).toBe('not_stored')
    await engine.settled()
    await expect(cancel(engine, 'a')).rejects.toMatchObject({ code: 'fleet_closed' })
    expect(clock.pending).toBe(0)
  })

  test('ST11 a run that was granted is read, and put back to work when that is asked', async () => {
    const { engine, clock, create } = await openEngine()
    await create('r', { a: {} })
    const { state, presence } = engine.core
    engine.leasing = true
    await clock.settle()
    const leased = state.runs.get('r')!
    expect(leased.working).toBe(1)
    // As the next fleet finds it: the attempt is nobody's.
    presence.end('r', 'a', 1)
    await engine.settled()
    expect(await engine.read('r')).toBe(leased)
    await engine.recover(leased)
    await clock.settle()
    expect(leased.tasks.get('a')).toMatchObject({ attempt: 2, crashes: 1 })
    expect(await engine.use('r', (run) => Promise.resolve(run))).toBe(leased)
  })
})
