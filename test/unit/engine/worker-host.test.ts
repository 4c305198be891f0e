import { describe, expect, test } from 'vitest'
import { createWorkerHost } from '../../../src/engine/worker-host.ts'
import type { Worker } from '../../../src/engine/workers.ts'
import type { FromWorker } from '../../../src/protocol/wire.ts'
import { registeredWorker } from '../../support/registered-worker.ts'
import { createHeldTransport, workerBench } from '../../support/worker-bench.ts'
import type { HeldTransport } from '../../support/worker-bench.ts'

const hello: FromWorker = { type: 'hello', worker_id: 'w1', incarnation: 'i', attempts: [] }
const heartbeat: FromWorker = { type: 'heartbeat', run_id: 'r', task_id: 'a', attempt: 1 }

/** One worker that is started on a transport in the hand, with what its host hands on. */
function hosted(options: Parameters<typeof createHeldTransport>[0] = {}, parts: Partial<HeldTransport> = {}) {
  const transport = { ...createHeldTransport(options), ...parts }
  const worker = registeredWorker('w1', { transport, facts: { slots: 3 } })
  const bench = workerBench([worker], { a: {} })
  const said: unknown[] = []
  const line = {
    hello: (of: Worker, message: unknown) => void said.push(['hello', of.facts.id, message]),
    lost: (of: Worker, reason: string) => void said.push(['lost', of.facts.id, reason]),
  }
  const reports = { take: (of: Worker, message: unknown) => void said.push(['report', of.facts.id, message]) }
  const kept = () => Promise.resolve()
  const host = createWorkerHost(bench.core, bench.workers, { reports: reports as never, line }, { id: () => 'store-7', kept })
  const started = { settled: false }
  return {
    ...{ ...bench, host, worker, said, started, kept, transport, launches: transport.launches },
    begin: () => void host.start(worker).then(() => (started.settled = true)),
    lost: () => said.filter((one) => Array.isArray(one) && one[0] === 'lost').length,
  }
}

const last = ({ launches }: HeldTransport) => launches.at(-1)!.channel

describe('a start', () => {
  test('WO1 a worker is brought up with what it must know, and is there once it has said hello', async () => {
    const { begin, clock, launches, transport, started, said, worker, kept } = hosted()
    begin()
    await clock.settle()
    expect(launches).toHaveLength(1)
    expect(launches[0]?.launch).toEqual({
      ...{ workerId: 'w1', storeId: 'store-7', incarnation: 'w1-1', slots: 3, leaseTtlMs: 60_000, kept },
    })
    expect(started.settled).toBe(false)
    expect(worker.channel).toBeDefined()
    last(transport).say(hello)
    await clock.settle()
    expect(started.settled).toBe(true)
    expect(said).toEqual([['hello', 'w1', hello]])
  })

  test('HO1 what it says later goes on as reports, in order; that it drains makes it rest', async () => {
    const { begin, clock, transport, said, worker } = hosted()
    begin()
    await clock.settle()
    for (const message of [hello, heartbeat, { type: 'drain', worker_id: 'w1' } as FromWorker, heartbeat])
      last(transport).say(message)
    expect(worker.resting).toBe(false)
    await clock.settle()
    expect(said).toEqual([
      ['hello', 'w1', hello],
      ['report', 'w1', heartbeat],
      ['report', 'w1', heartbeat],
    ])
    expect(worker.resting).toBe(true)
  })

  test('WO2 a first start that fails is waited for no longer, and told of; whatever was thrown', async () => {
    for (const [failure, reason] of [
      [new Error('no such host'), 'no such host'],
      ['a text', 'a text'],
    ] as const) {
      const { begin, clock, transport, started, said, launches } = hosted()
      transport.failures.push(failure)
      begin()
      await clock.settle()
      expect(started.settled).toBe(true)
      expect(said).toEqual([['lost', 'w1', expect.stringContaining(reason)]])
      expect(launches).toHaveLength(1)
      await clock.advance('1s')
      expect(launches).toHaveLength(2)
    }
  })

  test('WO2 whether one that comes by itself ever comes is not waited for', async () => {
    const { begin, clock, started } = hosted({ dialsIn: true })
    begin()
    await clock.settle()
    expect(started.settled).toBe(true)
  })
})

describe('the next start', () => {
  test('WO2 it comes later each time, up to the longest wait, with another incarnation, and keeps no process alive', async () => {
    const { begin, clock, transport, launches, worker, sleeps } = hosted()
    transport.failures.push(...Array.from({ length: 9 }, () => new Error('no')))
    begin()
    await clock.advance('10m')
    expect(sleeps.map(({ ms }) => ms / 1_000)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
    expect(new Set(sleeps.map(({ keepAlive }) => keepAlive))).toEqual(new Set([false]))
    expect(launches).toHaveLength(10)
    expect(new Set(launches.map(({ launch }) => launch.incarnation)).size).toBe(10)
    expect(launches.at(-1)?.launch.incarnation).toBe(worker.incarnation)
    expect(worker.failures).toBe(9)
  })

  test('WO2 a worker that stayed up for longer than ten seconds begins anew; one that did not waits longer', async () => {
    const { begin, clock, transport, worker, said, sleeps, lost } = hosted()
    begin()
    const upFor = async (ms: number) => {
      await clock.settle()
      last(transport).say(hello)
      await clock.advance(ms)
      last(transport).end('it died')
      await clock.settle()
    }
    await upFor(10_000)
    expect(said.at(-1)).toEqual(['lost', 'w1', 'it died'])
    expect(worker.failures).toBe(1)
    await clock.advance(1_000)
    await upFor(10_000)
    expect(worker.failures).toBe(2)
    await clock.advance(2_000)
    await upFor(10_001)
    expect(worker.failures).toBe(1)
    expect(sleeps.map(({ ms }) => ms)).toEqual([1_000, 2_000, 1_000])
    expect(lost()).toBe(3)
  })

  test('HO7 one that comes by itself is awaited again at once, as who it is', async () => {
    const { begin, clock, transport, launches, worker, lost } = hosted({ dialsIn: true })
    begin()
    await clock.settle()
    last(transport).end('gone')
    await clock.settle()
    expect(launches).toHaveLength(2)
    expect([lost(), worker.incarnation, worker.failures]).toEqual([1, 'w1-1', 1])
  })
})

describe('the end', () => {
  test('WO a worker that is retired is closed, recorded once, and neither lost nor brought up again', async () => {
    const { begin, clock, transport, launches, worker, host, entries, said } = hosted()
    begin()
    await clock.settle()
    const channel = last(transport)
    await host.retire(worker)
    await host.retire(worker)
    await clock.advance('10m')
    expect(worker).toMatchObject({ status: 'retired', channel: undefined })
    expect(channel.closes).toEqual([{ reason: 'retired', graceMs: 10_000 }])
    const record = { id: 'w1', incarnation: 'w1-1', draining: true, retired: true }
    expect(entries).toMatchObject([{ kind: 'worker.retired', record }])
    expect(launches).toHaveLength(1)
    expect(said).toEqual([])
  })

  test('WO a worker that is retired between two starts is not started again', async () => {
    const { begin, clock, transport, launches, worker, host } = hosted()
    transport.failures.push(new Error('no'))
    begin()
    await clock.settle()
    await host.retire(worker)
    await clock.advance('10m')
    expect(launches).toHaveLength(1)
  })

  test('CO8 closing ends each channel with the reason and the grace, and waits until all of them are served no more', async () => {
    const { begin, clock, transport, launches, host, lost } = hosted()
    begin()
    await clock.settle()
    last(transport).say(hello)
    await clock.settle()
    await host.close({ reason: 'closing', graceMs: 70 })
    expect(last(transport).closes).toEqual([{ reason: 'closing', graceMs: 70 }])
    expect(launches[0]?.signal.aborted).toBe(true)
    await clock.advance('10m')
    expect([launches.length, lost()]).toEqual([1, 0])
  })

  test('CO8 closing waits for a start that is under way to be given up', async () => {
    const opening: { fail: (reason: Error) => void } = { fail: () => undefined }
    const open = () => new Promise<never>((_, reject) => (opening.fail = reject))
    const { begin, clock, host, lost } = hosted({}, { open })
    begin()
    await clock.settle()
    const closed = { is: false }
    void host.close({ reason: 'closing', graceMs: 0 }).then(() => (closed.is = true))
    await clock.settle()
    expect(closed.is).toBe(false)
    opening.fail(new Error('given up'))
    await clock.settle()
    expect([closed.is, lost()]).toEqual([true, 0])
  })

  test.each(['closed', 'retired'] as const)(
    'CO8 WO a worker that comes up after it was %s is ended at once, and waited for',
    async (how) => {
      const held = createHeldTransport()
      const opening: { come: () => void } = { come: () => undefined }
      const open: HeldTransport['open'] = async (...given) => {
        await new Promise<void>((resolve) => (opening.come = resolve))
        return held.open(...given)
      }
      const { begin, clock, host, lost, worker } = hosted({}, { open })
      begin()
      await clock.settle()
      if (how === 'retired') await host.retire(worker)
      const closed = { is: false }
      void host.close({ reason: 'closing', graceMs: 70 }).then(() => (closed.is = true))
      await clock.settle()
      expect(closed.is).toBe(false)
      opening.come()
      await clock.settle()
      expect(last(held).closes).toMatchObject([{ graceMs: 0 }])
      expect([closed.is, lost(), worker.channel]).toEqual([true, 0, undefined])
    },
  )

  test('CO8 closing does not wait for the next start of a worker that is down, and there is none', async () => {
    const { begin, clock, transport, launches, host } = hosted()
    transport.failures.push(new Error('no'))
    begin()
    await clock.settle()
    await host.close({ reason: 'closing', graceMs: 0 })
    await clock.advance('10m')
    expect(launches).toHaveLength(1)
    // Nor is one that is started too late.
    begin()
    await clock.settle()
    expect(launches).toHaveLength(1)
  })
})
