import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../../../src/host/clock.ts'
import type { AssignMessage, AttemptMessage } from '../../../src/protocol/wire.ts'
import type { TaskHandler } from '../../../src/worker/handler.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import type { AttemptContext } from '../../../src/worker/attempt.ts'
import { FailedWork } from '../../../src/worker/failure.ts'
import { handlerWorker } from '../../../src/worker/handler-worker.ts'
import { NonRetryableError } from '../../../src/worker/non-retryable-error.ts'
import type { RunningAttempt } from '../../../src/worker/run-attempt.ts'
import { runAttempt } from '../../../src/worker/run-attempt.ts'
import type { StandardSchema } from '../../../src/worker/standard-schema.ts'
import { assignment } from '../../fixtures/conversation.ts'

const clock = systemClock()

/** Runs a handler to its end; gives what it sent. */
async function served(handler: Partial<TaskHandler> & Pick<TaskHandler, 'run'>, assign: AssignMessage = assignment()) {
  const sent: AttemptMessage[] = []
  await runAttempt({ assign, handler: { name: 'h', ...handler }, clock, send: (message) => sent.push(message) }).done
  return sent
}

async function last(...args: Parameters<typeof served>) {
  return (await served(...args)).at(-1)
}

const failure = (reason: unknown, recoverable: boolean) => ({ type: 'failed', failure_kind: 'task', reason, recoverable })

describe('running an attempt', () => {
  it('VE8 what a handler returns is the output', async () => {
    expect(await last({ run: () => ({ answer: 42, list: [1, 'a', null, true], nothing: undefined }) })).toMatchObject({
      type: 'result',
      output: { answer: 42, list: [1, 'a', null, true] },
    })
    expect(await last({ run: () => {} })).not.toHaveProperty('output')
    expect(await last({ run: () => null })).toHaveProperty('output', null)
  })

  it('SC3 a plain function gets the task and the attempt', async () => {
    const sent: AttemptMessage[] = []
    const worker = handlerWorker({ plain: (task, attempt) => `${task.id} ${attempt.number}`, clock })
    worker.connect((message) => sent.push(message)).receive(assignment({ id: 'plain' }, { attempt: 2 }))

    await expect.poll(() => sent).toEqual([{ type: 'result', run_id: 'r1', task_id: 'plain', attempt: 2, output: 'plain 2' }])
  })

  it('SC3 two handlers of one name are refused', () => {
    const run = () => {}

    expect(() =>
      handlerWorker({
        handlers: [
          { name: 'a', run },
          { name: 'a', run },
        ],
        clock,
      }),
    ).toThrow(expect.objectContaining({ code: 'invalid_option' }))
    expect(
      handlerWorker({
        handlers: [
          { name: 'a', run },
          { name: 'b', run },
        ],
        clock,
      }).serves.handlers,
    ).toEqual(['a', 'b'])
  })

  it('SC3 a refused input is final, names every complaint with its path, and the handler is not called', async () => {
    let calls = 0
    const input = z.object({ name: z.string(), tags: z.array(z.number()) })
    const run = () => void (calls += 1)

    const refused = await last({ input, run }, assignment({ input: { name: 1, tags: [1, 'x'] } }))
    expect(refused).toMatchObject(failure(expect.stringMatching(/input\.name: .+; input\.tags\[1\]: /), false))
    expect(await last({ input, run }, assignment())).toMatchObject(failure(expect.stringContaining('input: '), false))
    expect(calls).toBe(0)

    expect(await last({ input, run }, assignment({ input: { name: 'a', tags: [] } }))).toMatchObject({ type: 'result' })
    expect(calls).toBe(1)
  })

  it('SC3 the handler gets what its schema made of the input', async () => {
    const input = z.object({ count: z.string().transform(Number), more: z.number().default(7) })

    expect(await last({ input, run: (attempt) => attempt.input }, assignment({ input: { count: '3' } }))).toMatchObject({
      output: { count: 3, more: 7 },
    })
  })

  it('VE8 an accepted output says so, and is what the schema made of it', async () => {
    const output = z.object({ n: z.string().transform(Number) })

    expect(await last({ output, run: () => ({ n: '5' }) })).toMatchObject({
      type: 'result',
      schema_accepted: true,
      output: { n: 5 },
    })
    expect(await last({ run: () => ({ n: '5' }) })).not.toHaveProperty('schema_accepted')
  })

  it('VE8 a refused output is a task failure with the complaints, and is retried', async () => {
    const output = z.object({ n: z.number(), m: z.object({ k: z.string() }) })

    expect(await last({ output, run: () => ({ n: 'five', m: {} }) })).toMatchObject(
      failure(expect.stringMatching(/^invalid_output: .*output\.n: .+; output\.m\.k: /), true),
    )
  })

  it('VE8 a schema may take its time, and may break', async () => {
    const schema = (validate: StandardSchema['~standard']['validate']): StandardSchema => ({
      '~standard': { version: 1, vendor: 'test', validate },
    })
    const slow = schema(async (value) => ({ value: `${String(value)}!` }))
    const broken = schema(() => {
      throw new Error('schema broke')
    })

    expect(await last({ output: slow, run: () => 'a' })).toMatchObject({ output: 'a!' })
    expect(await last({ output: broken, run: () => 'a' })).toMatchObject(failure('Error: schema broke', true))
  })

  it.each<[string, unknown, string]>([
    ['a function', { f: () => 1 }, 'output.f: expected a JSON value, got a function'],
    ['a bigint', [1n], 'output[0]: expected a JSON value, got a bigint'],
    ['NaN', { a: { b: Number.NaN } }, 'output.a.b: expected a finite number, got NaN'],
    ['infinity', Infinity, 'output: expected a finite number, got Infinity'],
    ['a map', { m: new Map() }, 'output.m: expected a JSON value, got an instance of Map'],
    ['a date', new Date(0), 'output: expected a JSON value, got an instance of Date'],
    ['a symbol', Symbol('s'), 'output: expected a JSON value, got a symbol'],
    ['a hole', [undefined], 'output[0]: expected a JSON value, got nothing'],
    ['a key __proto__', JSON.parse('{"__proto__": 1}'), '__proto__'],
  ])('VE8 %s is no output', async (_, returned, complaint) => {
    expect(await last({ run: () => returned })).toMatchObject(failure(expect.stringContaining(complaint), true))
    expect(await last({ run: () => returned })).toHaveProperty('reason', expect.stringMatching(/^invalid_output: /))
  })

  it('VE8 a cycle is no output; the same value twice is', async () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const twice = { n: 1 }

    expect(await last({ run: () => cycle })).toMatchObject(failure(expect.stringContaining('a cycle'), true))
    expect(await last({ run: () => [twice, twice] })).toMatchObject({ output: [{ n: 1 }, { n: 1 }] })
  })

  it('RE7 a thrown error is a task failure that is retried, with its name and message', async () => {
    class Odd extends Error {
      override name = 'Odd'
    }
    const thrown = async (value: unknown) =>
      last({
        run: () => {
          throw value
        },
      })

    expect(await thrown(new TypeError('no such thing'))).toMatchObject(failure('TypeError: no such thing', true))
    expect(await thrown(new Odd())).toMatchObject(failure('Odd', true))
    expect(await thrown('text')).toMatchObject(failure('threw text', true))
    expect(await thrown(undefined)).toMatchObject(failure('threw undefined', true))
    expect(await thrown(Object.create(null))).toMatchObject(failure('threw a value that cannot be shown', true))
    expect(await last({ run: () => Promise.reject(new Error('later')) })).toMatchObject(failure('Error: later', true))
  })

  it('RE3 a NonRetryableError is final, a subclass and one of another copy of the package too', async () => {
    class Forbidden extends NonRetryableError {}
    const foreign = Object.assign(new Error('foreign'), { name: 'NonRetryableError' })

    expect(await last({ run: () => Promise.reject(new NonRetryableError('no')) })).toMatchObject(
      failure('NonRetryableError: no', false),
    )
    expect(await last({ run: () => Promise.reject(new Forbidden('no')) })).toMatchObject({ recoverable: false })
    expect(await last({ run: () => Promise.reject(foreign) })).toMatchObject({ recoverable: false })
    expect(await last({ run: () => Promise.reject(new Error('yes')) })).toMatchObject({ recoverable: true })
  })

  it('RE3 attempt.fail ends the attempt in the caller\u2019s words', async () => {
    expect(await last({ run: (attempt) => attempt.fail('out of luck') })).toMatchObject(failure('out of luck', true))
    expect(await last({ run: (attempt) => attempt.fail('never', { retryable: false }) })).toMatchObject(failure('never', false))
  })

  it('RE3 a failure that work gives back ends the attempt as one that it throws', async () => {
    const gives = (recoverable: boolean) => last({ run: () => new FailedWork({ reason: 'out of luck', recoverable }) })

    expect(await gives(true)).toMatchObject(failure('out of luck', true))
    expect(await gives(false)).toMatchObject(failure('out of luck', false))
    expect(await last({ run: () => ({ reason: 'out of luck', recoverable: true }) })).toMatchObject({ type: 'result' })
  })

  it('VE6 a reason is cut to 4 KiB, not inside a character', async () => {
    const sent = await last({ run: () => Promise.reject(new Error('\u{1f6a2}'.repeat(5_000))) })
    if (sent?.type !== 'failed') throw new Error('It did not fail.')

    expect(Buffer.byteLength(sent.reason)).toBeLessThanOrEqual(4096)
    expect(Buffer.byteLength(sent.reason)).toBeGreaterThan(4090)
    expect(sent.reason).toMatch(/\u{1f6a2}$/u)
  })

  it('RU5 an attempt that was stopped ends with stopped, whether its handler then throws or returns', async () => {
    for (const settle of ['throws', 'returns'] as const) {
      const sent: AttemptMessage[] = []
      const attempt = runAttempt({
        assign: assignment(),
        handler: {
          name: 'h',
          run: ({ signal }) =>
            new Promise((resolve, reject) =>
              signal.addEventListener('abort', () => (settle === 'throws' ? reject(new Error('own words')) : resolve('late'))),
            ),
        },
        clock,
        send: (message) => sent.push(message),
      })
      await new Promise((resolve) => setImmediate(resolve))
      attempt.stop('task_timeout', 'Too long.')
      attempt.stop('task_cancelled', 'Again.')
      await attempt.done

      expect(sent).toEqual([{ type: 'stopped', run_id: 'r1', task_id: 't1', attempt: 1 }])
    }
  })
})

describe('an attempt whose folder the disk has no room for', () => {
  const full = (code: string) => () => {
    throw Object.assign(new Error(code), { code })
  }

  /** Runs a handler on a virtual clock, where the folder cannot be made; gives what it sent before and after the rest. */
  async function onDisk(code: string, run: TaskHandler['run'], meanwhile?: (running: RunningAttempt) => void) {
    const virtual = createVirtualClock()
    const sent: AttemptMessage[] = []
    const running = runAttempt({
      assign: assignment(),
      handler: { name: 'h', run },
      clock: virtual,
      send: (message) => sent.push(message),
      makeFolder: full(code),
    })
    await virtual.settle()
    const before = [...sent]
    meanwhile?.(running)
    await virtual.advance(1_000)
    await running.done
    return { before, sent }
  }

  it.each(['ENOSPC', 'EDQUOT'])('LE8 ST5 %s: it is released after a rest, so that no retry is spent', async (code) => {
    const { before, sent } = await onDisk(code, ({ folder }) => folder)

    expect(before).toEqual([])
    expect(sent).toMatchObject([{ type: 'stopped', released: 'no room for the folder of the attempt' }])
  })

  it('LE8 work that goes on without its folder ends as it says, and what stops meanwhile is not released', async () => {
    const without = (attempt: AttemptContext) => {
      try {
        return attempt.folder
      } catch {
        return 'went on'
      }
    }

    expect((await onDisk('ENOSPC', without)).sent).toMatchObject([{ type: 'result', output: 'went on' }])
    const { sent } = await onDisk(
      'ENOSPC',
      ({ folder }) => folder,
      (running) => running.stop('task_cancelled', 'no longer wanted'),
    )
    expect(sent).toEqual([{ type: 'stopped', run_id: 'r1', task_id: sent[0]?.task_id, attempt: 1 }])
  })

  it('RE3 another error of the disk is a failure of the work', async () => {
    expect((await onDisk('EACCES', ({ folder }) => folder)).before).toMatchObject([failure('Error: EACCES', true)])
  })
})
