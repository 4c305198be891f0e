import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'
import { inProcessTransport } from '../../../src/transports/in-process.ts'
import { type TaskHandler } from '../../../src/worker/handler.ts'
import { handlerWorker } from '../../../src/worker/handler-worker.ts'
import { assignment, converse } from '../../fixtures/conversation.ts'

const clock = systemClock()
const key = { run_id: 'r1', task_id: 't1', attempt: 1 }

function handlersOf(...handlers: TaskHandler[]) {
  return inProcessTransport({ worker: handlerWorker({ handlers, clock }), clock })
}

function waiting(name: string): TaskHandler {
  return { name, run: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) }
}

/** Long enough for a handler to have been called. */
function oneTurn() {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Ignores its signal until `release` is called. */
function deaf(name: string) {
  let release!: () => void
  const released = new Promise<void>((resolve) => (release = resolve))
  return { release, handler: { name, run: () => released } satisfies TaskHandler }
}

describe('the in-process transport', () => {
  it('WO1 a channel begins with a hello that names worker and incarnation', async () => {
    const conversation = await converse(handlersOf())

    expect(await conversation.hear('hello')).toEqual({ type: 'hello', worker_id: 'w1', incarnation: 'first', attempts: [] })
    await conversation.channel.close({ reason: 'done', graceMs: 0 })
  })

  it('SC3 it serves its handlers, and plain tasks only with a plain function', () => {
    const plain = inProcessTransport({ worker: handlerWorker({ plain: () => 1, clock }), clock })

    expect(handlersOf(waiting('a'), waiting('b')).serves).toEqual({ handlers: ['a', 'b'], commands: false, plain: false })
    expect(plain.serves).toEqual({ handlers: [], commands: false, plain: true })
  })

  it('SE2 it enforces nothing, and says so', () => {
    expect(Object.values(handlersOf().enforces)).toEqual([false, false, false, false])
  })

  it('LE2 every message carries the key of its attempt', async () => {
    const conversation = await converse(handlersOf({ name: 'a', run: (attempt) => void attempt.log('here') }))

    conversation.channel.send(assignment({ handler: 'a' }))

    expect(await conversation.last()).toEqual({ ...key, type: 'result' })
    expect(await conversation.hear('log')).toEqual({ ...key, type: 'log', text: 'here\n' })
  })

  it('WO3 an attempt that is stopped confirms its end once its handler has settled, and not before', async () => {
    const { handler, release } = deaf('deaf')
    const conversation = await converse(handlersOf(waiting('waiting'), handler))
    const ignoring = assignment({ id: 'ignoring', handler: 'deaf' })
    const heeding = assignment({ id: 'heeding', handler: 'waiting' })

    conversation.channel.send(ignoring)
    conversation.channel.send(heeding)
    await oneTurn()
    conversation.stop(ignoring)
    conversation.stop(heeding)

    expect(await conversation.last('heeding')).toEqual({ ...key, task_id: 'heeding', type: 'stopped' })
    expect(conversation.heard.map((message) => 'task_id' in message && message.task_id)).not.toContain('ignoring')

    release()
    expect((await conversation.last('ignoring')).type).toBe('stopped')
  })

  it('RU5 stopping one attempt leaves its siblings alone', async () => {
    const { handler, release } = deaf('deaf')
    const conversation = await converse(handlersOf(waiting('waiting'), handler))
    const sibling = assignment({ id: 'sibling', handler: 'deaf' })
    const cancelled = assignment({ id: 'cancelled', handler: 'waiting' })

    conversation.channel.send(sibling)
    conversation.channel.send(cancelled)
    await oneTurn()
    conversation.stop(cancelled)
    await conversation.last('cancelled')
    release()

    expect((await conversation.last('sibling')).type).toBe('result')
  })

  it('RU5 the signal carries the reason as an error with the code of the stop', async () => {
    const reasons: unknown[] = []
    const conversation = await converse(
      handlersOf({
        name: 'a',
        run: ({ signal }) =>
          new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => {
              reasons.push(signal.reason)
              resolve()
            }),
          ),
      }),
    )
    for (const code of ['task_cancelled', 'task_timeout', 'lease_lost'] as const) {
      const assign = assignment({ id: code, handler: 'a' })
      conversation.channel.send(assign)
      await oneTurn()
      conversation.stop(assign, { code })
      expect((await conversation.last(code)).type).toBe('stopped')
    }

    expect(reasons).toMatchObject([{ code: 'task_cancelled' }, { code: 'task_timeout' }, { code: 'lease_lost' }])
  })

  it('RU5 an attempt that is stopped before its turn never calls its handler', async () => {
    let calls = 0
    const conversation = await converse(handlersOf({ name: 'a', run: () => void (calls += 1) }))
    const stopped = assignment({ id: 'stopped', handler: 'a' })

    conversation.channel.send(stopped)
    conversation.stop(stopped)
    conversation.channel.send(assignment({ id: 'control', handler: 'a' }))

    expect((await conversation.last('stopped')).type).toBe('stopped')
    expect((await conversation.last('control')).type).toBe('result')
    expect(calls).toBe(1)
  })

  it('LE1 an assignment that is repeated runs once', async () => {
    let calls = 0
    const conversation = await converse(handlersOf({ name: 'a', run: () => void (calls += 1) }))

    conversation.channel.send(assignment({ handler: 'a' }))
    conversation.channel.send(assignment({ handler: 'a' }))
    conversation.channel.send(assignment({ id: 'control', handler: 'a' }))
    await conversation.last('control')

    expect(calls).toBe(2)
  })

  it('RE3 a handler that nobody serves is a final task failure', async () => {
    const conversation = await converse(handlersOf(waiting('other')))

    conversation.channel.send(assignment({ handler: 'absent' }))

    expect(await conversation.last()).toMatchObject({ type: 'failed', failure_kind: 'task', recoverable: false })
  })

  it('CO8 closing aborts what runs with fleet_closed and waits for it', async () => {
    let reason: unknown
    const conversation = await converse(
      handlersOf({
        name: 'a',
        async run(attempt) {
          await attempt.delay(60_000).catch((error: unknown) => (reason = error))
          await clock.sleep(20)
        },
      }),
    )
    conversation.channel.send(assignment({ handler: 'a' }))
    await oneTurn()

    await conversation.channel.close({ reason: 'The fleet is closing.', graceMs: 10_000 })

    expect(reason).toMatchObject({ code: 'fleet_closed', message: 'The fleet is closing.' })
    expect(await conversation.channel.closed).toEqual({ reason: 'The fleet is closing.', asked: true })
    expect((await conversation.last()).type).toBe('stopped')
  })

  it('WO3 closing gives up on a handler that ignores its signal after the grace', async () => {
    const { handler, release } = deaf('deaf')
    const conversation = await converse(handlersOf(handler))
    conversation.channel.send(assignment({ handler: 'deaf' }))
    await oneTurn()

    await conversation.channel.close({ reason: 'closing', graceMs: 10 })

    expect(conversation.heard.map((message) => message.type)).toEqual(['hello'])
    release()
  })

  it('CO8 closing twice is safe, and what is assigned afterwards does not run', async () => {
    let calls = 0
    const conversation = await converse(handlersOf({ name: 'a', run: () => void (calls += 1) }))

    await Promise.all([
      conversation.channel.close({ reason: 'first', graceMs: 0 }),
      conversation.channel.close({ reason: 'second', graceMs: 0 }),
    ])
    conversation.channel.send(assignment({ handler: 'a' }))
    await oneTurn()

    expect(calls).toBe(0)
    expect((await conversation.channel.closed).reason).toBe('first')
  })

  it('CO7 two channels of one transport share nothing', async () => {
    const transport = handlersOf(waiting('waiting'))
    const [first, second] = [await converse(transport), await converse(transport)]
    first.channel.send(assignment({ handler: 'waiting' }))
    second.channel.send(assignment({ handler: 'waiting' }))

    await first.channel.close({ reason: 'closing', graceMs: 1_000 })
    expect((await first.last()).type).toBe('stopped')
    expect(second.heard).toHaveLength(1)

    await second.channel.close({ reason: 'closing', graceMs: 1_000 })
  })
})
