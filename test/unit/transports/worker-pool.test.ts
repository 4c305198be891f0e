import { beforeEach, describe, expect, test } from 'vitest'
import { diskFiles } from '../../../src/host/files.ts'
import type { Channel } from '../../../src/ports/transport.ts'
import type { FromWorker } from '../../../src/protocol/wire.ts'
import type { WorkerFrame } from '../../../src/protocol/worker-protocol.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import type { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import type { LaunchOrder } from '../../../src/transports/programs/worker-launcher.ts'
import { poolTransport } from '../../../src/transports/programs/worker-pool.ts'
import type { PoolOptions } from '../../../src/transports/programs/worker-pool.ts'
import { assignment } from '../../fixtures/conversation.ts'
import { hello, workerEnd } from '../../support/worker-end.ts'
import type { WorkerEnd } from '../../support/worker-end.ts'

/** A program that a test plays. */
interface Played extends WorkerEnd {
  readonly order: LaunchOrder
  /** How often it was asked to end, with which grace. */
  readonly stops: number[]
}

let clock: VirtualClock
let programs: Played[]
let refusals: string[]
beforeEach(() => {
  clock = createVirtualClock()
  programs = []
  refusals = []
})

const networkless = { network: false, writable_paths: [] }

/** A pool of programs that say hello at once, and end when they are asked to. */
async function pool(options: PoolOptions & { readonly slots?: number; readonly says?: Partial<typeof hello> } = {}) {
  const { slots = 2, says, ...rest } = options
  const transport = poolTransport({
    ...{ handlers: ['work'], ...rest, clock, files: diskFiles() },
    launcher: {
      kind: 'played',
      enforces: { network: true, fileWrites: true, environment: true, processes: true },
      sharesFiles: true,
      startsAhead: true,
      async start(order) {
        const refusal = refusals.shift()
        if (refusal !== undefined) throw new Error(refusal)
        const end = workerEnd()
        const stops: number[] = []
        programs.push(Object.assign(end, { order, stops }))
        end.say({ ...hello, handlers: ['work'], ...says })
        return {
          connection: end.connection,
          process: { group: 100 + programs.length, started: '1' },
          async stop(graceMs) {
            stops.push(graceMs)
            end.end('it was ended')
          },
        }
      },
    },
  })
  const launch = { workerId: 'w1', storeId: 's', incarnation: 'i', slots, leaseTtlMs: 60_000, kept: () => Promise.resolve() }
  const channel = await transport.open(launch, { signal: new AbortController().signal })
  return { channel, heard: listen(channel) }
}

function listen(channel: Channel): FromWorker[] {
  const heard: FromWorker[] = []
  void (async () => {
    for await (const message of channel.messages) heard.push(message)
  })()
  return heard
}

const assign = (attempt: number, more: Parameters<typeof assignment>[1] = {}) =>
  assignment({ handler: 'work' }, { attempt, ...more })
const keyOf = (attempt: number) => ({ run_id: 'r1', task_id: 't1', attempt })
const stop = (attempt: number, grace_ms = 5_000) =>
  ({ type: 'stop', ...keyOf(attempt), code: 'task_cancelled', reason: 'enough', grace_ms }) as const
const accepted = (attempt: number): WorkerFrame => ({ type: 'accepted', ...keyOf(attempt), seq: 1 })
const result = (attempt: number, seq = 2): WorkerFrame => ({ type: 'result', ...keyOf(attempt), seq })
const lasts = (heard: readonly FromWorker[]) =>
  heard.filter(({ type }) => type === 'result' || type === 'failed' || type === 'stopped')

describe('programs', () => {
  test('HO2 one is started before any work comes, the others when they are needed, and all are used again', async () => {
    const { channel, heard } = await pool()
    expect(programs).toHaveLength(1)
    channel.send(assign(1))
    channel.send(assign(2))
    await clock.settle()
    expect(programs.map((one) => one.tellings('assign').map(({ attempt }) => attempt))).toEqual([[1], [2]])
    for (const [at, program] of programs.entries()) {
      program.say(accepted(at + 1))
      program.say(result(at + 1))
    }
    await clock.settle()
    channel.send(assign(3))
    await clock.settle()
    channel.send(assign(3))
    await clock.settle()
    expect(programs).toHaveLength(2)
    expect(programs[0]!.tellings('assign').map(({ attempt }) => attempt)).toEqual([1, 3])
    expect(lasts(heard)).toHaveLength(2)
  })

  /** The program that an attempt was given to. */
  const programOf = (attempt: number) => programs.find((one) => one.tellings('assign').some((told) => told.attempt === attempt))!

  test('HO2 without reuse each attempt has a program of its own, and its end waits until nothing of that is left', async () => {
    const { channel, heard } = await pool({ reuse: false })
    for (const attempt of [1, 2, 3]) {
      channel.send(assign(attempt))
      await clock.settle()
      programOf(attempt).say(accepted(attempt))
      programOf(attempt).say(result(attempt))
      await clock.settle()
      expect(programOf(attempt).stops[0]).toBeGreaterThan(0)
      expect(lasts(heard)).toHaveLength(attempt)
    }
    expect(programs.map((one) => one.tellings('assign').length)).toEqual([1, 1, 1, 0])
  })

  test('HO2 the next program is started ahead, one at a time; attempts that come together get one each', async () => {
    const { channel, heard } = await pool({ reuse: false, slots: 3 })
    channel.send(assign(1))
    // The second waits for the one that is being started, the third gets another.
    channel.send(assign(2))
    channel.send(assign(3))
    await clock.settle()
    expect(new Set([1, 2, 3].map(programOf)).size).toBe(3)
    expect(programs.map((one) => one.tellings('assign').length).filter((given) => given > 1)).toEqual([])
    expect(programs).toHaveLength(4)
    const closing = channel.close({ reason: 'enough', graceMs: 1_000 })
    await clock.advance(1_000)
    await closing
    expect(programs.every(({ stops }) => stops.length > 0)).toBe(true)
    expect(lasts(heard).every(({ type }) => type !== 'result')).toBe(true)
  })

  test('HO2 the last message of a program that never said that it accepts counts all the same', async () => {
    const { channel, heard } = await pool({ reuse: false })
    channel.send(assign(1))
    await clock.settle()
    programOf(1).say(result(1, 1))
    await clock.settle()
    expect(lasts(heard)).toMatchObject([{ type: 'result', attempt: 1 }])
  })

  test('HO2 a program that died while it waited is not given anything', async () => {
    const { channel } = await pool({ reuse: false })
    channel.send(assign(1))
    await clock.settle()
    programs[1]!.end('it died')
    await clock.settle()
    channel.send(assign(2))
    await clock.settle()
    expect(programs[1]!.tellings('assign')).toEqual([])
    expect(programOf(2)).toBe(programs[2])
  })

  test('WO3 an attempt that is stopped while it waits for the program that is started ahead is confirmed once', async () => {
    const { channel, heard } = await pool({ reuse: false })
    channel.send(assign(1))
    channel.send(assign(2))
    channel.send(stop(2))
    await clock.settle()
    expect(lasts(heard)).toEqual([{ type: 'stopped', ...keyOf(2) }])
    programOf(1).say(accepted(1))
    programOf(1).say(result(1))
    await clock.settle()
    expect(lasts(heard)).toHaveLength(2)
  })

  test('SE2 a program serves only attempts that are kept to the same; another makes room when all slots are taken', async () => {
    const { channel, heard } = await pool({ slots: 1 })
    channel.send(assign(1, { confined: networkless }))
    await clock.settle()
    expect(programs.map(({ order }) => order.confined)).toEqual([undefined, networkless])
    expect(programs[0]!.stops).not.toEqual([])
    programs[1]!.say(accepted(1))
    programs[1]!.say(result(1))
    await clock.settle()
    channel.send(assign(2, { confined: networkless }))
    await clock.settle()
    expect(programs).toHaveLength(2)
    expect(programs[1]!.tellings('assign')).toHaveLength(2)
    expect(lasts(heard)).toHaveLength(1)
  })

  test('LE6 the process of a program is recorded with what it accepts', async () => {
    const { channel, heard } = await pool()
    channel.send(assign(1))
    programs[0]!.say(accepted(1))
    await clock.settle()
    expect(heard.at(-1)).toMatchObject({ type: 'accepted', process: { group: 101, started: '1' } })
  })

  test('SC3 a program that does not serve what its worker is registered for is refused', async () => {
    await expect(pool({ says: { handlers: ['other'] } })).rejects.toThrow('does not serve work')
    expect(programs[0]!.tellings('refused')).toMatchObject([{ code: 'unknown_handler' }])
    expect(programs[0]!.stops).toEqual([0])
  })

  test('SE7 a program that says that it is another worker is refused', async () => {
    await expect(pool({ says: { worker_id: 'w2' } as never })).rejects.toThrow('says that it is the worker w2')
    expect(programs[0]!.stops).toEqual([0])
  })

  test('WO1 one that drains ends with the attempt that it has', async () => {
    const { channel, heard } = await pool({ slots: 1 })
    channel.send(assign(1))
    programs[0]!.say(accepted(1))
    programs[0]!.say({ type: 'drain' })
    programs[0]!.say(result(1))
    await clock.settle()
    expect(lasts(heard)).toMatchObject([{ type: 'result' }])
    channel.send(assign(2))
    await clock.settle()
    expect(programs).toHaveLength(2)
  })
})

describe('what goes wrong', () => {
  test('WO2 LE8 an attempt whose program cannot be started is given back, later each time; once one comes up the waits begin anew', async () => {
    const { channel, heard } = await pool()
    channel.send(assign(1))
    refusals = ['no such file', 'no such file']
    channel.send(assign(2))
    await clock.advance(499)
    expect(lasts(heard)).toEqual([])
    await clock.advance(1)
    expect(lasts(heard)).toMatchObject([
      { type: 'stopped', attempt: 2, released: expect.stringContaining('no such file') as string },
    ])
    channel.send(assign(3))
    await clock.advance(999)
    expect(lasts(heard)).toHaveLength(1)
    await clock.advance(1)
    expect(lasts(heard)).toHaveLength(2)
    channel.send(assign(4))
    await clock.settle()
    expect(programs[1]!.tellings('assign')).toMatchObject([{ attempt: 4 }])
  })

  test('WO3 an attempt that is stopped while its program starts, or waits to, is confirmed without having begun', async () => {
    const { channel, heard } = await pool()
    channel.send(assign(1))
    refusals = ['no such file']
    channel.send(assign(2))
    await clock.settle()
    channel.send(stop(2))
    await clock.settle()
    expect(lasts(heard)).toEqual([{ type: 'stopped', ...keyOf(2) }])
  })

  test('WO3 HO3 a program that ignores the stop of its attempt is killed after the grace, which confirms it', async () => {
    const { channel, heard } = await pool()
    channel.send(assign(1))
    programs[0]!.say(accepted(1))
    channel.send(stop(1, 3_000))
    await clock.advance(2_999)
    expect(programs[0]!.stops).toEqual([])
    await clock.advance(1)
    expect(programs[0]!.stops[0]).toBe(0)
    expect(lasts(heard)).toEqual([{ type: 'stopped', ...keyOf(1) }])
    expect(clock.pending).toBe(0)
  })

  test('WO3 one that heeds it lives on', async () => {
    const { channel, heard } = await pool()
    channel.send(assign(1))
    programs[0]!.say(accepted(1))
    channel.send(stop(1, 3_000))
    programs[0]!.say({ type: 'stopped', ...keyOf(1), seq: 2 })
    await clock.advance(10_000)
    expect(programs[0]!.stops).toEqual([])
    expect(lasts(heard)).toEqual([{ type: 'stopped', ...keyOf(1), seq: 2 }])
  })

  test('RE7 a program that is lost costs its attempt and no other; the reason quotes what it printed', async () => {
    const { channel, heard } = await pool()
    channel.send(assign(1))
    channel.send(assign(2))
    await clock.settle()
    for (const [at, program] of programs.entries()) program.say(accepted(at + 1))
    programs[0]!.order.log('Segmentation fault\n')
    programs[0]!.end('it was ended by SIGSEGV')
    await clock.settle()
    expect(lasts(heard)).toMatchObject([{ type: 'failed', failure_kind: 'transport', attempt: 1 }])
    expect(lasts(heard)[0]).toMatchObject({
      reason: 'Its worker was lost: it was ended by SIGSEGV. It printed: Segmentation fault',
    })
    programs[1]!.say(result(2))
    await clock.settle()
    expect(lasts(heard)[1]).toMatchObject({ type: 'result', attempt: 2 })
  })

  test('LE2 a program may only speak of the attempt that it was given: of another’s it is told to stop', async () => {
    const { channel, heard } = await pool()
    channel.send(assign(1))
    channel.send(assign(2))
    await clock.settle()
    programs[0]!.say(accepted(2))
    programs[0]!.say(result(2))
    await clock.settle()
    expect(lasts(heard)).toEqual([])
    expect(programs[0]!.tellings('stop')).toMatchObject([{ attempt: 2, code: 'lease_lost' }])
  })

  test('HO4 what a program prints is the log of the attempt that it serves', async () => {
    const { channel, heard } = await pool()
    programs[0]!.order.log('before\n')
    channel.send(assign(1))
    programs[0]!.say(accepted(1))
    programs[0]!.order.log('meanwhile\n')
    await clock.settle()
    expect(heard.filter(({ type }) => type === 'log')).toMatchObject([{ attempt: 1, text: 'meanwhile\n' }])
  })
})

describe('closing', () => {
  test('HO1 tells all programs, gives work its grace, and ends every one', async () => {
    const { channel } = await pool()
    channel.send(assign(1))
    channel.send(assign(2))
    await clock.settle()
    programs[0]!.say(accepted(1))
    programs[1]!.say(accepted(2))
    programs[1]!.say(result(2))
    await clock.settle()
    const closing = channel.close({ reason: 'enough', graceMs: 10_000 })
    await clock.settle()
    expect(programs.map((one) => one.tellings('bye').length)).toEqual([1, 1])
    await clock.advance(10_000)
    await closing
    expect(programs.map(({ stops }) => stops.length > 0)).toEqual([true, true])
    expect((await channel.closed).asked).toBe(true)
    expect(clock.pending).toBe(0)
  })

  test('HO1 closing again without grace ends at once what is left', async () => {
    const { channel } = await pool()
    channel.send(assign(1))
    programs[0]!.say(accepted(1))
    const closing = channel.close({ reason: 'enough', graceMs: 60_000 })
    void channel.close({ reason: 'at once', graceMs: 0 })
    await clock.settle()
    await closing
    expect(clock.pending).toBe(0)
  })
})
