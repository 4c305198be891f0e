import fc from 'fast-check'
// The scorer loads it when it is first needed, which would take longer than the virtual clock waits.
import 're2js'
import { expect, test } from 'vitest'
import { createFleet } from '../../../src/fleet/create-fleet.ts'
import type { Core } from '../../../src/engine/core.ts'
import type { DecideContext } from '../../../src/engine/decide.ts'
import { engineDefaults } from '../../../src/engine/defaults.ts'
import type { Effects } from '../../../src/engine/effects.ts'
import { createPresence } from '../../../src/engine/presence.ts'
import { createReports } from '../../../src/engine/reports.ts'
import { createFleetState } from '../../../src/engine/state.ts'
import type { Decide } from '../../../src/engine/turns.ts'
import type { Worker, Workers } from '../../../src/engine/workers.ts'
import { seededIds } from '../../../src/host/seeded-ids.ts'
import type { AttemptMessage } from '../../../src/protocol/wire.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { eventsOf, journalOf, statesOf } from '../../support/journal.ts'
import { createTestTransport } from '../../support/test-transport.ts'
import { createSecretsInUse } from '../../../src/security/secrets-in-use.ts'

const again = { retry_policy: { initial_backoff_seconds: 0 } }
const manyTimes = { retry_policy: { initial_backoff_seconds: 0, max_attempts: 100 } }

test('LE1 a task has at most one live lease, though workers are free (L9, M5)', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 3 })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  // Starting again, and whatever else lets scheduling look, gives no second lease.
  expect(await run.start()).toMatchObject({ changed: false })
  await fleet.start({ name: 'r2', tasks: [task('b')] })
  await clock.settle()
  expect(transport.attempts.map((held) => held.assign.task_id)).toEqual(['a', 'b'])
})

test('LE1 the attempt number grows by one with each lease and is never used again', async () => {
  const { fleet, clock, transport, store } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a', manyTimes)] })
  await clock.settle()
  // A failure, a restart, a host that is lost before and after it accepted, a silent worker.
  transport.attempt('a').fail('no')
  await clock.settle()
  await run.restart('a')
  transport.attempt('a').confirm()
  await clock.settle()
  transport.drop('w1')
  await clock.advance(2_000)
  transport.attempt('a').accept()
  await clock.settle()
  transport.drop('w1')
  await clock.advance(5_000)
  transport.attempt('a').accept()
  await clock.advance(200_000)
  // A silent worker gets nothing until it is heard again.
  transport.attempt('a').heartbeat()
  await clock.settle()
  const numbers = transport.attempts.map((held) => held.assign.attempt)
  expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  expect(numbers.length).toBeGreaterThan(5)
  const leased = (await journalOf(store, run.id)).filter((entry) => entry.events?.some((event) => event.state === 'leased'))
  expect(leased.map((entry) => entry.attempt)).toEqual(numbers)
})

test('LE1 the attempt number goes on after a crash of the fleet (W11)', async () => {
  const first = await openBench()
  await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await first.clock.settle()
  first.store.crash()
  const { transport } = await openBench({ store: first.store.peer(), clock: first.clock, seed: 'second' })
  await first.clock.settle()
  expect(transport.attempts.map((held) => held.assign.attempt)).toEqual([2])
})

test('LE2 a result of an older attempt changes nothing (L19, M20)', async () => {
  const { fleet, clock, transport, store } = await openBench({ slots: 2 })
  const run = await fleet.start({ name: 'r', tasks: [task('a', { scorer: { kind: 'exit_code' } })] })
  await clock.settle()
  const old = transport.attempt('a')
  old.accept()
  await clock.settle()
  await run.restart('a')
  await clock.settle()
  const live = transport.attempt('a')
  expect(live.assign.attempt).toBe(2)
  const before = await store.last(run.id)
  old.complete({ exit_code: 3 })
  old.fail('late')
  await clock.settle()
  expect(await store.last(run.id)).toBe(before)
  live.accept()
  live.complete({ exit_code: 0 })
  await clock.settle()
  const receipt = await run.receipt('a')
  expect(receipt).toMatchObject({ attempt: 2, result: 'pass' })
  const end = (await eventsOf(run)).find((event) => event.event === 'worker.completed')
  expect(receipt?.terminal_seq).toBe(end?.worker_seq)
  expect((await run.summary()).status).toBe('completed')
})

test('LE2 nothing that an older attempt says changes its task: accepted, progress, heartbeat, failure (L15, L18)', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 2 })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  const old = transport.attempt('a')
  old.accept()
  await clock.settle()
  await run.restart('a')
  await clock.settle()
  const before = { tasks: await run.tasks(), states: await statesOf(run, 'a') }
  old.accept()
  old.heartbeat()
  old.send({ type: 'progress', event: { state: 'model_wait' } } as never)
  old.fail('late')
  await clock.settle()
  expect({ tasks: await run.tasks(), states: await statesOf(run, 'a') }).toEqual(before)
})

test('LE2 a heartbeat of an older attempt does not keep the lease of the live one', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 2 })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  const old = transport.attempt('a')
  old.accept()
  await clock.settle()
  await run.restart('a')
  await clock.settle()
  transport.attempt('a').accept()
  for (let n = 0; n < 7; n += 1) {
    await clock.advance(10_000)
    old.heartbeat()
  }
  await clock.settle()
  expect(await statesOf(run, 'a')).toContain('stale')
})

test('LE2 whoever speaks for an attempt that holds no lease is told to stop', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  for (const attempt of [7, 0]) {
    const key = { run_id: run.id, task_id: 'a', attempt }
    transport.say('w1', { type: 'heartbeat', ...key })
    await clock.settle()
    expect(transport.told.at(-1)).toMatchObject({ worker: 'w1', message: { type: 'stop', ...key, code: 'lease_lost' } })
  }
  const unknown = { run_id: 'elsewhere', task_id: 'x', attempt: 1 }
  transport.say('w1', { type: 'accepted', ...unknown })
  await clock.settle()
  expect(transport.told.at(-1)).toMatchObject({ message: { type: 'stop', ...unknown } })
  expect((await run.tasks())[0]).toMatchObject({ status: 'starting', attempt: 1 })
})

test('LE2 a worker cannot speak for the attempt of another one', async () => {
  const transport = createTestTransport()
  const { fleet, clock } = await openBench({
    workers: [
      { id: 'w1', transport },
      { id: 'w2', transport },
    ],
  })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  const live = transport.attempt('a')
  const other = live.worker === 'w1' ? 'w2' : 'w1'
  const key = { run_id: run.id, task_id: 'a', attempt: 1 }
  transport.say(other, { type: 'result', ...key })
  transport.say(other, { type: 'accepted', ...key })
  await clock.settle()
  expect((await run.tasks())[0]?.status).toBe('starting')
  expect(transport.told.at(-1)).toMatchObject({ worker: other, message: { type: 'stop', ...key } })
})

test('LE2 BU3 usage that an older attempt reports still adds to the spend, and to nothing else', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 2 })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  const old = transport.attempt('a')
  old.accept()
  await clock.settle()
  await run.restart('a')
  await clock.settle()
  old.send({ type: 'usage', input_tokens: 10, output_tokens: 5 } as never)
  await clock.settle()
  old.confirm()
  await clock.settle()
  // Even when nothing of the old attempt is known any more.
  old.send({ type: 'usage', input_tokens: 1, output_tokens: 1 } as never)
  await clock.settle()
  expect((await run.tasks())[0]).toMatchObject({ status: 'starting', attempt: 2 })
  transport.attempt('a').send({ type: 'usage', input_tokens: 100, output_tokens: 0 } as never)
  transport.attempt('a').complete()
  await clock.settle()
  expect((await run.receipt('a'))?.spent?.tokens).toBe(117)
})

test('EV5 late and repeated messages never move a finished task (L23)', async () => {
  for (const end of ['complete', 'fail', 'cancel'] as const) {
    const { fleet, clock, transport, store } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
    await clock.settle()
    const held = transport.attempt('a')
    held.accept()
    await clock.settle()
    if (end === 'complete') held.complete()
    else if (end === 'fail') held.fail('no')
    else await run.cancelTask('a')
    await clock.settle()
    const before = { last: await store.last(run.id), tasks: await run.tasks(), receipts: await run.receipts() }
    held.send({ type: 'progress', event: { state: 'running_tool', tool: 'sh' } } as never)
    held.heartbeat()
    held.accept()
    held.complete({ exit_code: 0 })
    held.complete({ exit_code: 0 })
    held.fail('late')
    await clock.settle()
    expect({ last: await store.last(run.id), tasks: await run.tasks(), receipts: await run.receipts() }).toEqual(before)
    // Not a word of it is told either, and the worker is whole.
    expect(fleet.workers()[0]).toMatchObject({ status: 'online', busy: 0 })
  }
})

test('EV5 late and repeated messages are counted in memory; the confirmation of a stop is none', async () => {
  const state = createFleetState()
  const presence = createPresence()
  const worker = { status: 'busy', facts: { id: 'w1' }, abandoned: new Set() } as unknown as Worker
  const core = {
    state,
    presence,
    clock: createVirtualClock(),
    deadlines: { leaseNow: () => 0 },
    defaults: engineDefaults,
    inUse: createSecretsInUse(),
    turns: { nudge: () => undefined, report: (decide: Decide<void>) => void [...decide({} as DecideContext)] },
  } as unknown as Core
  const told: string[] = []
  const effects = { stop: (_: string, key: { task_id: string }) => told.push(key.task_id) } as unknown as Effects
  const reports = createReports(core, { settle: () => undefined } as unknown as Workers, effects, () =>
    Promise.reject(new Error('not asked for')),
  )
  const key = { run_id: 'r', task_id: 'a', attempt: 1 }
  const counted = (message: object) => {
    const before = reports.late
    reports.take(worker, { ...key, ...message } as AttemptMessage)
    return reports.late - before
  }
  // Its lease was revoked, and its end is awaited.
  const revoked = () =>
    presence.begin({ run: 'r', task: 'a', attempt: 1, worker: 'w1', deadline: 0, lastHeardAt: 0, lastProgress: 0 })
  for (const [end, late] of [
    ['result', 1],
    ['failed', 1],
    ['stopped', 0],
  ] as const) {
    revoked()
    expect([end, counted({ type: end })]).toEqual([end, late])
    // The same again, of an attempt that is not known any more.
    expect([end, counted({ type: end })]).toEqual([end, late])
  }
  expect(told).toEqual([])
  for (const type of ['heartbeat', 'accepted', 'progress', 'log']) expect([type, counted({ type })]).toEqual([type, 1])
  expect(told).toEqual(['a', 'a', 'a', 'a'])
})

test('LE2 a cancelled task stays cancelled, whatever its worker says (L10, L16, W13, W16)', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  expect(await run.cancelTask('a', { by: 'ada' })).toMatchObject({ changed: true })
  transport.attempt('a').complete({ exit_code: 0 })
  await clock.settle()
  expect(await run.cancelTask('a')).toMatchObject({ changed: false })
  expect((await run.tasks())[0]?.status).toBe('cancelled')
  expect(await run.receipts('a')).toMatchObject([{ result: 'skip' }])
})

test('LE2 a cancel that names an attempt does not reach another one (W18)', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a', again)] })
  await clock.settle()
  transport.attempt('a').fail('no')
  await clock.settle()
  await expect(run.cancelTask('a', { attempt: 1 })).rejects.toMatchObject({ code: 'refused' })
  expect((await run.tasks())[0]).toMatchObject({ status: 'starting', attempt: 2 })
  expect(await run.cancelTask('a', { attempt: 2 })).toMatchObject({ changed: true })
})

test('LE2 a cancel that names an attempt does not reach a task that waits after it (W18)', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').fail('no')
  await clock.settle()
  expect((await run.tasks())[0]?.status).toBe('backoff')
  await expect(run.cancelTask('a', { attempt: 1 })).rejects.toMatchObject({ code: 'refused' })
})

test('LE2 a verdict of an older attempt does not overwrite the live one (L14)', async () => {
  const files = memoryFiles({ '/w/out.txt': 'ok' })
  let answer: (() => void) | undefined
  const slow: typeof files = {
    ...files,
    async read(path, options) {
      if (answer === undefined) await new Promise<void>((resolve) => (answer = resolve))
      return files.read(path, options)
    },
  }
  const { fleet, clock, transport } = await openBench({ files: slow, workspace: '/w' })
  const scorer = { kind: 'regex_match', path: 'out.txt', pattern: 'ok' }
  const run = await fleet.start({ name: 'r', tasks: [task('a', { scorer })] })
  await clock.settle()
  transport.attempt('a').complete({ exit_code: 0 })
  await clock.settle()
  const verifying = (await run.tasks())[0]
  await run.restart('a')
  await clock.settle()
  const before = await run.tasks()
  expect(answer).toBeTypeOf('function')
  answer?.()
  await clock.settle()
  expect(await run.tasks()).toEqual(before)
  expect(before[0]).toMatchObject({ status: 'starting', attempt: 2 })
  expect(await run.receipts('a')).toEqual([])
  // The race that the rule is about was there.
  expect(verifying?.status).toBe('verifying')
})

test('LE10 a second fleet is told that the store is owned', async () => {
  const { store, clock, fleet } = await openBench()
  const other = createFleet({ store: store.peer(), clock, ids: seededIds('other'), files: memoryFiles() })
  await expect(other).rejects.toMatchObject({ code: 'store_owned' })
  // Once the first is gone, the same call succeeds.
  await fleet.close()
  const second = await createFleet({ store: store.peer(), clock, ids: seededIds('other'), files: memoryFiles() })
  expect(await second.runs()).toEqual([])
})

test('LE10 a fleet whose store was taken over decides nothing any more, and leases nothing', async () => {
  const first = await openBench({ seed: 'first', slots: 2 })
  const run = await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await first.clock.settle()
  first.transport.attempt('a').accept()
  await first.clock.settle()
  const peer = first.store.peer()
  first.store.crash()
  const second = await openBench({ store: peer, clock: first.clock, seed: 'second', slots: 2 })
  await first.clock.settle()
  expect(second.transport.attempts.map((held) => held.assign.attempt)).toEqual([2])
  const old = first.transport.attempt('a')
  old.complete()
  const pausing = run.pause().catch((error: unknown) => error)
  await first.clock.advance(10_000)
  expect(await pausing).toMatchObject({ code: 'store_conflict', retryable: false })
  await expect(first.fleet.start({ name: 'x', tasks: [task('b')] })).rejects.toMatchObject({ code: 'store_conflict' })
  expect(first.transport.attempts).toHaveLength(1)
  // Nothing of the loser reached the run.
  second.transport.attempt('a').complete()
  await first.clock.settle()
  const { fleet } = second
  expect((await (await fleet.run('r')).receipts('a')).map((receipt) => receipt.attempt)).toEqual([2])
})

test('LE10 LE1 two restarts at once: each revokes what it saw, and one lease is live (L13)', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 3 })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  await Promise.all([run.restart('a'), run.restart('a')])
  await clock.settle()
  const live = transport.attempts.filter((held) => held.stopped === undefined)
  expect(live).toHaveLength(1)
  expect(live[0]?.assign.attempt).toBe((await run.tasks())[0]?.attempt)
})

test('LE10 start and cancel race: the cancel stands, and a lease that was given is revoked (L10, L11)', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.create({ name: 'r', tasks: [task('a')] })
  await Promise.all([run.start(), run.cancel()])
  await clock.settle()
  expect((await run.tasks())[0]?.status).toBe('cancelled')
  const live = transport.attempts.filter((held) => held.stopped === undefined)
  expect(live).toEqual([])
  expect((await statesOf(run, 'a')).at(-1)).toBe('cancelled')
})

test('LE1 LE2 RE1 whatever the order of messages of any attempts: one live lease, dense attempts, one receipt per verdict', async () => {
  const act = fc.record({
    task: fc.constantFrom('a', 'b', 'c'),
    attempt: fc.integer({ min: 0, max: 3 }),
    what: fc.constantFrom('accept', 'complete', 'fail', 'confirm', 'heartbeat', 'restart', 'cancel', 'drop', 'wait', 'usage'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), async (acts) => {
      const { fleet, clock, transport, store } = await openBench({ slots: 2 })
      const policy = { retry_policy: { initial_backoff_seconds: 1, max_attempts: 3 } }
      const run = await fleet.start({ name: 'r', tasks: ['a', 'b', 'c'].map((id) => task(id, policy)) })
      await clock.settle()
      for (const { task: id, attempt, what } of acts) {
        const held = transport.attempts.filter((one) => one.assign.task_id === id)[attempt]
        if (what === 'restart') await run.restart(id)
        else if (what === 'cancel') await run.cancelTask(id)
        else if (what === 'drop') transport.drop('w1')
        else if (what === 'wait') await clock.advance(20_000)
        else if (what === 'usage') held?.send({ type: 'usage', input_tokens: 1, output_tokens: 0 } as never)
        else if (what === 'fail') held?.fail('no')
        else held?.[what]()
        await clock.settle()
      }
      const journal = await journalOf(store, run.id)
      for (const id of ['a', 'b', 'c']) {
        let live: number | undefined
        let last = 0
        let failures = 0
        const judged: (number | undefined)[] = []
        for (const entry of journal.filter((one) => one.task === id)) {
          const status = entry.set?.status
          if (entry.events?.some((event) => event.state === 'leased')) {
            expect(live).toBeUndefined()
            expect(entry.attempt).toBe(last + 1)
            live = last = entry.attempt ?? 0
          }
          if (status !== undefined && status !== 'starting' && status !== 'running' && status !== 'verifying') live = undefined
          if (entry.receipt !== undefined && entry.receipt.result !== 'skip') {
            judged.push(entry.attempt)
            if (entry.receipt.result === 'fail') failures += 1
          }
          // A restart gives a fresh budget, where any of it was used.
          if (entry.set?.failures === 0) failures = 0
          expect(failures).toBeLessThanOrEqual(3)
        }
        expect(new Set(judged).size).toBe(judged.length)
      }
      const leased = (await run.tasks()).filter((one) => one.status === 'starting' || one.status === 'running')
      expect(leased.length).toBeLessThanOrEqual(2)
    }),
    { numRuns: 40, seed: 20300101 },
  )
})
