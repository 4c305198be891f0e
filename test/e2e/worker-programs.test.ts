import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { childProcesses, createFleet, workerThreads } from '../../src/index.ts'
import type { FleetEvent, FleetReceipt, Transport } from '../../src/index.ts'
import { workerFolder } from '../support/bundled-package.ts'
import { until } from '../fixtures/processes.ts'
import { carrying, holdings, untilNoMoreThan } from '../support/leavings.ts'

let installed: Awaited<ReturnType<typeof workerFolder>>
beforeAll(async () => {
  installed = await workerFolder()
})
afterAll(() => installed[Symbol.asyncDispose]())

const startTimeoutMs = 1_000

/** Ways to start a program that misbehaves in a way. */
const launchers: Readonly<Record<string, { readonly isThread: boolean; transport(way: string): Transport }>> = {
  'worker processes that are kept warm': {
    isThread: false,
    transport: (way) =>
      childProcesses({ command: [process.execPath, installed.program('evil.mjs'), way], plain: true, startTimeoutMs }),
  },
  'a worker process for each attempt': {
    isThread: false,
    transport: (way) =>
      childProcesses({
        ...{ command: [process.execPath, installed.program('evil.mjs'), way], plain: true, startTimeoutMs },
        reuse: false,
      }),
  },
  'worker threads': {
    isThread: true,
    transport(way) {
      // Threads begin with the variables of this process.
      process.env['EVIL_WAY'] = way
      onTestFinished(() => void delete process.env['EVIL_WAY'])
      return workerThreads({ file: pathToFileURL(installed.program('evil.mjs')), plain: true, startTimeoutMs })
    },
  },
}

interface Outcome {
  /** How the task ended, or what it is when the worker never came up. */
  readonly status: string
  readonly receipts: readonly FleetReceipt[]
  readonly events: readonly string[]
  /** What a task of the fleet's own handlers came to meanwhile. */
  readonly other: string
  readonly worker: string
}

/** A fleet with a worker that misbehaves, and one that does not; looks at what is left when it is closed. */
async function misbehave(transport: Transport, task: Record<string, unknown> = {}): Promise<Outcome> {
  const before = holdings()
  const fleet = await createFleet({
    handlers: { good: () => 'done' },
    workers: [{ id: 'evil-program', transport }],
    limits: { leaseTtlMs: 1_500, stopGraceMs: 200, closeGraceMs: 0, workerBackoffMs: { first: 100, most: 200 } },
  })
  onTestFinished(() => fleet.close())
  const events: string[] = []
  void (async () => {
    for await (const event of fleet.events()) if ((event as FleetEvent).task_id === 'bad') events.push(event.event)
  })()
  const run = await fleet.start({
    name: 'r',
    tasks: [
      { id: 'good', name: 'good', instructions: 'x', handler: 'good' },
      { id: 'bad', name: 'bad', instructions: 'x', retry_policy: { max_attempts: 1 }, scorer: { kind: 'exit_code' }, ...task },
    ],
  })
  const evil = () => fleet.workers().find(({ id }) => id === 'evil-program')?.status ?? 'none'
  let view = await run.task('bad')
  // Either it ends, or its worker does not come up.
  await until(async () => {
    view = await run.task('bad')
    return ['completed', 'failed', 'cancelled'].includes(view.status) || evil() === 'offline'
  }, 'the task to end')
  const receipts = await run.receipts('bad')
  const other = (await run.task('good')).status
  const worker = evil()
  await fleet.close()
  expect(carrying('FLOTILLA_WORKER=evil-program')).toEqual([])
  await untilNoMoreThan(before)
  return { status: view.status, receipts, events, other, worker }
}

const neverUp = [
  'never says hello',
  'dies at its start',
  'speaks another version',
  'says that it is another worker',
  'says first what is no JSON',
  'says first a line of 2 MiB',
  'says first nested brackets',
]
/** What ends the line, or the program, after the attempt was accepted: a failure of the way to it. */
const lost = [
  'dies in the middle',
  'writes half a line and dies',
  'says what is no JSON',
  'says a line of 2 MiB',
  'says nested brackets',
  'leaves out a number',
  'says hello again',
]
/** What a thread has no standard input and output for. */
const closes = ['closes its output']
const harmless = ['leaves grandchildren behind', 'floods its output', 'speaks of another attempt', 'does its work']

describe.each(Object.entries(launchers))('%s', (_, { isThread, transport }) => {
  test.each(neverUp)('HO1 WO2 a program that %s never gets an attempt, and the fleet goes on', async (way) => {
    const { status, receipts, other, worker } = await misbehave(transport(way))
    expect({ status, receipts, other }).toEqual({ status: 'enqueued', receipts: [], other: 'completed' })
    expect(worker).toBe('offline')
  })

  test.each(isThread ? lost : [...lost, ...closes])(
    'HO8 RE7 a program that %s costs its attempt, as a transport failure',
    async (way) => {
      const { status, receipts, other } = await misbehave(transport(way))
      expect({ status, other }).toEqual({ status: 'failed', other: 'completed' })
      expect(receipts).toMatchObject([{ result: 'fail', failure_kind: 'transport', attempt: 1 }])
      expect(receipts[0]?.evidence).toContain('lost')
    },
  )

  test('LE8 a program that dies before it accepts has its attempt given back once, and then failed', async () => {
    const { status, receipts, events, other } = await misbehave(transport('dies before it accepts'))
    expect({ status, other }).toEqual({ status: 'failed', other: 'completed' })
    expect(receipts).toMatchObject([{ result: 'fail', failure_kind: 'transport', attempt: 2 }])
    expect(events).toContain('worker.interrupted')
  })

  const hanging = ['hangs', 'hangs and ignores TERM', ...(isThread ? [] : ['closes its input'])]
  test.each(hanging)('LE4 HO3 a program that %s loses its lease, and is killed', async (way) => {
    const { status, receipts, events, other } = await misbehave(transport(way))
    expect({ status, other }).toEqual({ status: 'failed', other: 'completed' })
    expect(receipts).toMatchObject([{ result: 'fail', failure_kind: 'transport' }])
    expect(events).toContain('worker.stale')
  })

  test('LE7 HO3 a program that hangs beyond the limit of its task is killed, and the task timed out', async () => {
    const { receipts } = await misbehave(transport('hangs and ignores TERM'), { timeout_seconds: 1 })
    expect(receipts).toMatchObject([{ result: 'timeout' }])
  })

  test.each(harmless)('LE2 HO3 HO4 a program that %s does its work all the same', async (way) => {
    const { status, receipts, other } = await misbehave(transport(way))
    expect({ status, other }).toEqual({ status: 'completed', other: 'completed' })
    expect(receipts).toMatchObject([{ result: 'pass', attempt: 1 }])
  })

  test('HO8 a program that ends its attempt twice has ended it once', async () => {
    const { receipts, other } = await misbehave(transport('ends twice'))
    expect(receipts).toMatchObject([{ result: 'pass', attempt: 1 }])
    expect(other).toBe('completed')
  })
})
