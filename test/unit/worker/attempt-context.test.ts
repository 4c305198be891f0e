import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { FleetReceipt } from '../../../src/protocol/receipt.ts'
import type { AssignMessage, AttemptMessage } from '../../../src/protocol/wire.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import type { AttemptContext } from '../../../src/worker/attempt.ts'
import { runAttempt } from '../../../src/worker/run-attempt.ts'
import { assignment } from '../../fixtures/conversation.ts'

const clock = systemClock()
const key = { run_id: 'r1', task_id: 't1', attempt: 1 }
const receipt: FleetReceipt = {
  run_id: 'r1',
  task_id: 'before',
  worker_id: 'w1',
  completed_at: '2026-01-01T00:00:00.000Z',
  result: 'pass',
  artifacts: [],
  output: ['made'],
}

/** Starts an attempt whose work is a function; what it sends is kept. */
function begin(work: (attempt: AttemptContext) => unknown, assign: AssignMessage = assignment()) {
  const sent: AttemptMessage[] = []
  const attempt = runAttempt({
    assign,
    handler: { name: 'h', run: (context) => Promise.resolve(work(context)) },
    clock,
    send: (message) => sent.push(message),
  })
  return Object.assign(attempt, { sent })
}

async function sentBy(work: (attempt: AttemptContext) => unknown, assign?: AssignMessage) {
  const attempt = begin(work, assign)
  await attempt.done
  return attempt.sent
}

const oneTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('the context of an attempt', () => {
  it.each([true, false])('SE1 says whether allow_parallel_reads is set: %s', async (allowed) => {
    let seen: boolean | undefined
    await sentBy((attempt) => void (seen = attempt.allowParallelReads), assignment({}, { allow_parallel_reads: allowed }))

    expect(seen).toBe(allowed)
  })

  it.each([
    ['a proxy of it', (attempt: AttemptContext) => new Proxy(attempt, {})],
    ['an object that inherits from it', (attempt: AttemptContext) => Object.create(attempt) as AttemptContext],
    ['its methods alone', ({ log, tool, signal }: AttemptContext) => ({ log, tool, signal })],
  ])('HO1 works through %s', async (_, viewOf) => {
    const sent = await sentBy(async (attempt) => {
      const { log, tool, signal } = viewOf(attempt)
      if (signal !== attempt.signal) throw new Error('another signal')
      await log('said')
      await tool('cargo')
    })

    expect(sent.map(({ type }) => type)).toEqual(['log', 'progress', 'result'])
  })

  it('RE5 SC5 holds what the fleet assigned', async () => {
    let seen: AttemptContext | undefined
    const assign = assignment(
      { input: { q: 1 } },
      { attempt: 4, previous: [receipt], dependencies: [{ task_id: 'before', receipt }], folder: '/f', root: '/r' },
    )
    await sentBy((attempt) => void (seen = attempt), assign)

    expect(seen).toMatchObject({
      task: assign.task,
      input: { q: 1 },
      number: 4,
      runId: 'r1',
      previous: [receipt],
      dependencies: { before: { receipt, output: ['made'] } },
      folder: '/f',
      root: '/r',
    })
  })

  it('EV6 progress, usage and log become messages, in order, before the result', async () => {
    const sent = await sentBy(async ({ modelWait, tool, workflow, usage, log }) => {
      await modelWait('m1')
      await modelWait()
      await tool('grep', 'c1')
      await tool('ls')
      await workflow('wf', { step: 1 })
      await usage({ inputTokens: 3, outputTokens: 4 })
      await log('line')
    })

    expect(sent).toEqual([
      { ...key, type: 'progress', event: { state: 'model_wait', model: 'm1' } },
      { ...key, type: 'progress', event: { state: 'model_wait' } },
      { ...key, type: 'progress', event: { state: 'running_tool', tool: 'grep', call_id: 'c1' } },
      { ...key, type: 'progress', event: { state: 'running_tool', tool: 'ls' } },
      { ...key, type: 'progress', event: { state: 'workflow_event', workflow_run_id: 'wf', event: { step: 1 } } },
      { ...key, type: 'usage', input_tokens: 3, output_tokens: 4 },
      { ...key, type: 'log', text: 'line\n' },
      { ...key, type: 'result' },
    ])
  })

  it('BU1 an absent count is 0, nothing spent is no message, and what is no count is refused', async () => {
    const refused: unknown[] = []
    const sent = await sentBy((attempt) => {
      void attempt.usage({ inputTokens: undefined, outputTokens: 2 })
      void attempt.usage({})
      for (const inputTokens of [-1, Number.NaN, 1.5, Infinity]) {
        try {
          void attempt.usage({ inputTokens })
        } catch (error) {
          refused.push(error)
        }
      }
    })

    expect(sent.filter((message) => message.type === 'usage')).toEqual([
      { ...key, type: 'usage', input_tokens: 0, output_tokens: 2 },
    ])
    expect(refused).toHaveLength(4)
    expect(refused.every((error) => (error as { code?: string }).code === 'invalid_option')).toBe(true)
  })

  it('EV6 a workflow event that is no JSON is refused', async () => {
    const sent = await sentBy((attempt) => attempt.workflow('wf', { when: new Date() } as never))

    expect(sent).toMatchObject([{ type: 'failed', reason: expect.stringContaining('event.when: expected a JSON value') }])
  })

  it('AR2 an artifact resolves with the reference that the fleet recorded', async () => {
    const attempt = begin(async ({ artifact }) => [
      await artifact({ kind: 'report', path: 'out/r.md' }),
      await artifact({ kind: 'patch', name: 'a.diff', content: 'diff', mimeType: 'text/x-diff' }),
    ])
    await expect.poll(() => attempt.sent).toHaveLength(1)
    const first = { kind: 'report', path: 'out/r.md', checksum: `sha256:${'0'.repeat(64)}`, size_bytes: 1 }
    attempt.collected({ ...key, type: 'collected', report: 1, artifact: first })
    await expect.poll(() => attempt.sent).toHaveLength(2)
    attempt.collected({ ...key, type: 'collected', report: 2, artifact: { kind: 'patch', path: 'a.diff' } })
    await attempt.done

    expect(attempt.sent).toEqual([
      { ...key, type: 'artifact', report: 1, kind: 'report', path: 'out/r.md' },
      {
        ...key,
        type: 'artifact',
        report: 2,
        kind: 'patch',
        path: 'a.diff',
        bytes: new TextEncoder().encode('diff'),
        mime_type: 'text/x-diff',
      },
      { ...key, type: 'result', output: [first, { kind: 'patch', path: 'a.diff' }] },
    ])
  })

  it('AR3 an artifact that is refused rejects, and the attempt goes on', async () => {
    const attempt = begin(async ({ artifact }) =>
      artifact({ kind: 'report', path: '../x' }).catch((error: unknown) => String(error)),
    )
    await expect.poll(() => attempt.sent).toHaveLength(1)
    attempt.collected({ ...key, type: 'collected', report: 1, refused: 'It leads out.' })
    await attempt.done

    expect(attempt.sent.at(-1)).toMatchObject({ type: 'result', output: 'FleetError: It leads out.' })
  })

  it('AR1 the result waits for artifacts that the handler did not wait for', async () => {
    const attempt = begin(({ artifact }) => {
      void artifact({ kind: 'report', path: 'a' })
      void artifact({ kind: 'report', path: 'b' })
    })
    await oneTurn()
    attempt.collected({ ...key, type: 'collected', report: 2, refused: 'No.' })
    await oneTurn()
    expect(attempt.sent.map((message) => message.type)).toEqual(['artifact', 'artifact'])

    attempt.collected({ ...key, type: 'collected', report: 1, refused: 'No.' })
    await attempt.done
    expect(attempt.sent.at(-1)?.type).toBe('result')
  })

  it('LE2 once the signal has aborted, every method throws its reason and nothing is sent', async () => {
    const errors: unknown[] = []
    const attempt = begin(async (context) => {
      const late = context.artifact({ kind: 'report', path: 'a' })
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve))
      const calls: (() => unknown)[] = [
        () => context.modelWait(),
        () => context.tool('t'),
        () => context.workflow('w', 1),
        () => context.usage({ inputTokens: 1 }),
        () => context.log('x'),
        () => context.artifact({ kind: 'report', path: 'b' }),
        () => context.delay(1),
        () => context.fail('x'),
        () => late,
      ]
      for (const call of calls) {
        try {
          await call()
        } catch (error) {
          errors.push(error)
        }
      }
    })
    await oneTurn()
    attempt.stop('lease_lost', 'Another attempt runs.')
    await attempt.done

    expect(errors).toHaveLength(9)
    for (const error of errors)
      expect(error).toMatchObject({ name: 'FleetError', code: 'lease_lost', message: 'Another attempt runs.' })
    expect(attempt.sent.map((message) => message.type)).toEqual(['artifact', 'stopped'])
  })

  it('LE2 after the handler has returned the context says that the lease is lost', async () => {
    let kept: AttemptContext | undefined
    const sent = await sentBy((attempt) => void (kept = attempt))

    expect(() => kept?.log('late')).toThrow(expect.objectContaining({ code: 'lease_lost' }))
    await expect(kept?.delay(0)).rejects.toMatchObject({ code: 'lease_lost' })
    await expect(kept?.artifact({ kind: 'log', path: 'a' })).rejects.toMatchObject({ code: 'lease_lost' })
    expect(sent.map((message) => message.type)).toEqual(['result'])
  })

  it('LE2 a report that nobody awaits is never an unhandled rejection', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const attempt = begin(async (context) => {
      void context.artifact({ kind: 'report', path: 'a' })
      void context.delay(60_000)
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve))
      void context.delay(60_000)
      void context.artifact({ kind: 'report', path: 'b' })
      void context.log('x')
    })
    await oneTurn()
    attempt.stop('task_cancelled', 'Cancelled.')
    await attempt.done
    await oneTurn()

    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
    expect(attempt.sent.at(-1)?.type).toBe('stopped')
  })

  it('RU5 a delay ends with its attempt, and takes back its alarm', async () => {
    const virtual = createVirtualClock()
    const sent: AttemptMessage[] = []
    const attempt = runAttempt({
      assign: assignment(),
      handler: { name: 'h', run: (context) => context.delay(60_000) },
      clock: virtual,
      send: (message) => sent.push(message),
    })
    await virtual.settle()
    expect(virtual.pendingTimers()).toEqual([60_000])
    attempt.stop('task_cancelled', 'Cancelled.')
    await attempt.done

    expect(virtual.pendingTimers()).toEqual([])
    expect(sent.at(-1)?.type).toBe('stopped')
  })

  it('DE1 a delay waits on the fleet\u2019s clock', async () => {
    const waited: number[] = []
    const sent: AttemptMessage[] = []
    const alarm: Clock['alarm'] = (ms, act) => {
      waited.push(ms)
      queueMicrotask(act)
      return () => {}
    }
    await runAttempt({
      assign: assignment(),
      handler: { name: 'h', run: (attempt) => attempt.delay(3_600_000) },
      clock: { ...clock, alarm },
      send: (message) => sent.push(message),
    }).done

    expect(waited).toEqual([3_600_000])
    expect(sent.at(-1)?.type).toBe('result')
  })
})
