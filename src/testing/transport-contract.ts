import assert from 'node:assert/strict'
import type { Channel, Transport } from '../ports/transport.ts'
import { attemptKey } from '../protocol/attempt-key.ts'
import type { AssignMessage, AttemptMessage, FromWorker } from '../protocol/wire.ts'
import { contractCases } from './contract-case.ts'
import type { ContractCase } from './contract-case.ts'

/** A transport under test, with work that its workers can do. */
export interface TransportUnderTest {
  readonly transport: Transport
  /** An attempt of work that completes, that fails, or that goes on until it is told to stop. */
  assign(work: 'completes' | 'fails' | 'goes on', attempt: number): AssignMessage
  /** Lets the worker's side go on; a transport on virtual time moves it. Default: a turn of the event loop. */
  pass?(): Promise<void>
  dispose(): Promise<void>
}

const lasts: ReadonlySet<FromWorker['type']> = new Set(['result', 'failed', 'stopped'])

const checks: Readonly<Record<string, (context: TransportUnderTest) => Promise<void>>> = {
  'WO1 the first message is a hello, of the incarnation that was opened': async (context) => {
    const line = await opened(context)
    const hello = await line.next()
    assert.equal(hello.type, 'hello')
    assert.deepEqual(hello, { ...hello, worker_id: 'w1', incarnation: 'inc-1', attempts: [] })
    await line.close()
  },

  'WO3 an attempt that completes has a result as its one last message': async (context) => {
    await assertLast(context, 'completes', 'result')
  },

  'RE7 an attempt that fails says so as its one last message': async (context) => {
    const last = await assertLast(context, 'fails', 'failed')
    assert.ok(last.type === 'failed' && last.reason !== '')
  },

  'WO3 an attempt that is told to stop confirms it, once nothing of it runs any more': async (context) => {
    const line = await opened(context)
    const assign = context.assign('goes on', 1)
    line.channel.send(assign)
    await line.pass()
    line.channel.send({ ...attemptKey(assign), type: 'stop', code: 'task_cancelled', reason: 'enough', grace_ms: 5_000 })
    const last = await line.last(1)
    assert.equal(last.type, 'stopped')
    await line.close()
  },

  'LE2 every message names its attempt, and attempts do not mix': async (context) => {
    const line = await opened(context)
    for (const attempt of [1, 2]) line.channel.send(context.assign('completes', attempt))
    assert.equal((await line.last(1)).attempt, 1)
    assert.equal((await line.last(2)).attempt, 2)
    await line.close()
  },

  'LE2 stopping what does not run harms nothing': async (context) => {
    const line = await opened(context)
    const unknown = context.assign('completes', 9)
    line.channel.send({ ...attemptKey(unknown), type: 'stop', code: 'lease_lost', reason: 'unknown', grace_ms: 1_000 })
    line.channel.send(context.assign('completes', 1))
    assert.equal((await line.last(1)).type, 'result')
    await line.close()
  },

  'HO1 closing ends the messages and the work, and says that it was asked for; twice is safe': async (context) => {
    const line = await opened(context)
    line.channel.send(context.assign('goes on', 1))
    await line.pass()
    await line.close()
    await line.close()
    assert.equal((await line.channel.closed).asked, true)
    await line.ended
    line.channel.send(context.assign('completes', 2))
  },

  'WO1 a worker can be opened again, as another incarnation': async (context) => {
    const first = await opened(context)
    await first.close()
    const second = await opened(context, 'inc-2')
    const hello = await second.next()
    assert.ok(hello.type === 'hello' && hello.incarnation === 'inc-2')
    second.channel.send(context.assign('completes', 1))
    assert.equal((await second.last(1)).type, 'result')
    await second.close()
  },
}

/** What every `Transport` must do (HO1), one case each, for any test runner. `make` gives a transport for each case. */
export function transportContract(make: () => Promise<TransportUnderTest>): readonly ContractCase[] {
  return contractCases(checks, make)
}

interface Line {
  readonly channel: Channel
  /** The first message. */
  next(): Promise<FromWorker>
  /** The message that ended an attempt, once it came. */
  last(attempt: number): Promise<AttemptMessage>
  pass(): Promise<void>
  close(): Promise<void>
  readonly heard: readonly FromWorker[]
  readonly ended: Promise<void>
}

async function opened(context: TransportUnderTest, incarnation = 'inc-1'): Promise<Line> {
  const launch = { workerId: 'w1', storeId: 'store-1', incarnation, slots: 4, leaseTtlMs: 60_000, kept: () => Promise.resolve() }
  const channel = await context.transport.open(launch, { signal: new AbortController().signal })
  const heard: FromWorker[] = []
  let wake: (() => void) | undefined
  const ended = (async () => {
    for await (const message of channel.messages) {
      heard.push(message)
      wake?.()
    }
  })()
  const pass = context.pass ?? (() => new Promise<void>((resolve) => void Promise.resolve().then(() => resolve())))

  async function until(isIt: (message: FromWorker) => boolean): Promise<FromWorker> {
    for (;;) {
      const found = heard.find(isIt)
      if (found !== undefined) return found
      const more = new Promise<void>((resolve) => (wake = resolve))
      await Promise.race([more, pass()])
      // A transport that is moved may need many moves; one that lives in real time wakes this itself.
      if (context.pass === undefined) await more
    }
  }

  return {
    channel,
    heard,
    ended,
    pass,
    next: () => until(() => true),
    last: async (attempt) =>
      (await until(
        (message) => lasts.has(message.type) && 'attempt' in message && message.attempt === attempt,
      )) as AttemptMessage,
    close: () => channel.close({ reason: 'the test is over', graceMs: 5_000 }),
  }
}

async function assertLast(
  context: TransportUnderTest,
  work: 'completes' | 'fails',
  expected: AttemptMessage['type'],
): Promise<AttemptMessage> {
  const line = await opened(context)
  line.channel.send(context.assign(work, 1))
  const last = await line.last(1)
  assert.equal(last.type, expected)
  await line.close()
  await line.ended
  assert.equal(line.heard.filter((message) => lasts.has(message.type)).length, 1)
  assert.equal(line.heard.at(-1), last)
  return last
}
