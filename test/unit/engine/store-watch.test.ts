import { describe, expect, test } from 'vitest'
import { createStoreWatch } from '../../../src/engine/store-watch.ts'
import { FleetError } from '../../../src/protocol/errors.ts'
import type { FleetErrorCode } from '../../../src/protocol/errors.ts'
import { workerBench } from '../../support/worker-bench.ts'

/** A watch over a store whose next reads fail so many times, and what it read again. */
function watching(failures = 0) {
  const bench = workerBench([], { a: {}, b: {} })
  const reloads: { readonly run: string; readonly carried: boolean; readonly wasForgotten: boolean }[] = []
  const left = { failures }
  const watch = createStoreWatch(bench.core, {
    reload(run, carried) {
      if (left.failures > 0) {
        left.failures -= 1
        return Promise.reject(new Error('It cannot be read.'))
      }
      reloads.push({ run, carried, wasForgotten: !bench.state.runs.has(run) })
      return Promise.resolve(reloads.length * 10)
    },
  })
  const outcome: { stored?: ReadonlyMap<string, number> } = {}
  return {
    ...{ ...bench, watch, reloads, left, outcome },
    restore: (code: FleetErrorCode = 'not_stored', ...runs: string[]) =>
      void watch
        .restore(new Set(runs.length > 0 ? runs : ['r']), new FleetError(code, 'The disk is gone.'))
        .then((stored) => (outcome.stored = stored)),
    refusal: () => watch.refusing()?.code,
    said: () => bench.announced.map(({ event }) => event),
  }
}

describe('a failed append', () => {
  test('CO1 its runs are forgotten and read again soon, and give how far each is durable', async () => {
    const { restore, clock, reloads, outcome } = watching()
    restore('not_stored', 'r', 'unknown')
    await clock.advance(49)
    expect(reloads).toEqual([])
    await clock.advance(1)
    expect(reloads).toEqual([
      { run: 'r', carried: true, wasForgotten: true },
      { run: 'unknown', carried: true, wasForgotten: true },
    ])
    expect(outcome.stored).toEqual(
      new Map([
        ['r', 10],
        ['unknown', 20],
      ]),
    )
  })

  test('ST11 a run that was not carried on is not carried on afterwards', async () => {
    const { restore, clock, reloads, run } = watching()
    run.carried = false
    restore()
    await clock.advance(50)
    expect(reloads).toMatchObject([{ run: 'r', carried: false }])
  })

  test('CO1 commands are refused until the runs were read again', async () => {
    const { restore, clock, refusal, watch } = watching()
    expect(refusal()).toBeUndefined()
    restore()
    expect(refusal()).toBe('store_failing')
    expect(watch.refusing()?.retryable).toBe(true)
    await clock.advance(50)
    expect(refusal()).toBeUndefined()
    // The next failure is no other, though none succeeded between them.
    restore()
    expect(refusal()).toBe('store_failing')
  })

  test('ST5 it is told once that the store fails, with why, and once that it works again', async () => {
    const { restore, clock, said, watch, announced } = watching()
    watch.working()
    expect(said()).toEqual([])
    restore()
    expect(announced).toEqual([
      {
        ...{ cursor: '', event: 'store.failing', run_id: '', timestamp: new Date(clock.now()).toISOString() },
        payload: { reason: 'The disk is gone.' },
      },
    ])
    await clock.advance('1s')
    restore()
    await clock.advance('1s')
    expect(said()).toEqual(['store.failing'])
    watch.working()
    watch.working()
    expect(said()).toEqual(['store.failing', 'store.recovered'])
    expect(announced[1]).toMatchObject({ payload: {}, run_id: '' })
    restore()
    expect(said()).toHaveLength(3)
  })

  test('RU8 that an id was used before is the mistake of a caller: the store is well, and nothing is told', async () => {
    const { restore, clock, said, watch, outcome } = watching()
    restore('run_exists')
    await clock.settle()
    watch.working()
    expect(outcome.stored?.size).toBe(1)
    expect(said()).toEqual([])
    expect(clock.pending).toBe(0)
  })
})

describe('a store that cannot be read either', () => {
  test('ST5 it is asked again after longer and longer waits, up to five seconds, which keep the process alive', async () => {
    const { restore, clock, outcome, sleeps, refusal } = watching(9)
    restore()
    await clock.settle()
    expect(refusal()).toBe('store_failing')
    await clock.advance('60s')
    expect(outcome.stored?.get('r')).toBe(10)
    expect(sleeps.map(({ ms }) => ms)).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
    expect(new Set(sleeps.map(({ keepAlive }) => keepAlive))).toEqual(new Set([true]))
  })

  test('ST5 what was told of is waited for before it is asked; what was not is told of once it cannot be read', async () => {
    const told = watching()
    told.restore()
    expect(told.sleeps).toHaveLength(1)
    const { announced, restore, clock, said, sleeps, outcome } = watching(2)
    restore('run_exists')
    await clock.settle()
    expect(said()).toEqual(['store.failing'])
    expect(announced[0]?.payload).toEqual({ reason: 'The disk is gone.' })
    expect(sleeps.map(({ ms }) => ms)).toEqual([100])
    await clock.advance('1s')
    expect([said(), outcome.stored?.size]).toEqual([['store.failing'], 1])
  })

  test('ST5 tries in a row count on, until an append succeeds', async () => {
    const { restore, clock, sleeps, watch } = watching()
    const again = async () => {
      restore()
      await clock.advance('10s')
    }
    await again()
    await again()
    expect(sleeps.map(({ ms }) => ms)).toEqual([50, 100])
    watch.working()
    await again()
    expect(sleeps.map(({ ms }) => ms)).toEqual([50, 100, 50])
  })
})

describe('who gives up', () => {
  test('CO8 a fleet that closes waits for no store: it is closed, and says so', async () => {
    const { restore, clock, watch, refusal, outcome } = watching(100)
    restore()
    await clock.advance('1s')
    expect(outcome.stored).toBeUndefined()
    watch.giveUp()
    await clock.settle()
    expect(outcome.stored).toEqual(new Map())
    expect(refusal()).toBe('fleet_closed')
    expect(watch.refusing()?.cause).toMatchObject({ code: 'not_stored' })
    await clock.advance('60s')
    expect(clock.pending).toBe(0)
  })

  test('CO8 what can be read in the last moment is read', async () => {
    const { restore, clock, watch, outcome } = watching()
    watch.giveUp()
    restore()
    await clock.settle()
    expect(outcome.stored?.get('r')).toBe(10)
  })

  test('LE10 who lost the store to another owner is told so from then on, and waits for nothing', async () => {
    const { restore, clock, refusal, outcome, watch } = watching()
    restore('store_conflict')
    await clock.settle()
    expect(outcome.stored?.get('r')).toBe(10)
    expect(clock.pending).toBe(0)
    expect(refusal()).toBe('store_conflict')
    watch.working()
    watch.giveUp()
    restore('not_stored')
    await clock.settle()
    expect(refusal()).toBe('store_conflict')
    const unreadable = watching(100)
    unreadable.restore('store_conflict')
    await unreadable.clock.settle()
    expect([unreadable.outcome.stored?.size, unreadable.left.failures]).toEqual([0, 99])
  })
})

describe('meanwhile', () => {
  test('LE5 leases stand still while nothing can be recorded, and go on where they stood', async () => {
    const { restore, clock, core, outcome } = watching(3)
    const before = core.deadlines.leaseNow()
    restore()
    await clock.advance('0s')
    expect(core.deadlines.leaseNow()).toBe(before)
    await clock.advance('60s')
    expect(outcome.stored).toBeDefined()
    // It could be read again after 50, 100, 200 and 400 ms.
    expect(core.deadlines.leaseNow()).toBe(before + 60_000 - 750)
  })

  test('WO3 an attempt that the durable state does not know lingers, and one whose revocation was discarded is live again', async () => {
    const bench = workerBench([], { live: {}, old: {}, verified: {}, waits: {} })
    for (const id of ['live', 'old', 'verified']) bench.lease(id)
    const [live, old, verified] = ['live', 'old', 'verified'].map((id) => bench.begin(id))
    const { run } = bench
    bench.set('waits', { attempt: 1 })
    const waits = bench.begin('waits')
    const gone = bench.core.presence.begin({ ...live!, run: 'gone' })
    bench.core.presence.linger(live!)
    bench.set('old', { attempt: 2 })
    bench.set('verified', { status: 'verifying' })
    const watch = createStoreWatch(bench.core, { reload: () => Promise.resolve(bench.state.runs.set('r', run).size) })
    void watch.restore(new Set(['r']), new FleetError('not_stored', 'No.'))
    await bench.clock.advance('1s')
    expect([live, old, verified, waits, gone].map((attempt) => attempt?.lingering)).toEqual([false, true, true, true, true])
  })
})
