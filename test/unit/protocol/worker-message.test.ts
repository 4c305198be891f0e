import { describe, expect, test } from 'vitest'
import { createWorkerMessageOrder, readWorkerMessage, writeWorkerMessage } from '../../../src/protocol/index.ts'
import type { FleetError, FromWorker } from '../../../src/protocol/index.ts'
import { workerMessages } from './worker-messages.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const read = (value: unknown) => readWorkerMessage(encode(typeof value === 'string' ? value : JSON.stringify(value)))
const refusalOf = (value: unknown): FleetError => {
  const reading = read(value)
  if (reading.ok) throw new Error('It was taken.')
  return reading.refusal
}
const key = { run_id: 'r', task_id: 'a', attempt: 1 }

describe('messages of workers', () => {
  test.each(workerMessages.map((message) => [message.type, message] as const))(
    'HO1 %s is read as it was written',
    (_, message) => {
      const line = writeWorkerMessage(message)
      expect(line.endsWith('\n')).toBe(true)
      expect(line.slice(0, -1)).not.toContain('\n')
      expect(readWorkerMessage(encode(line.trimEnd()))).toEqual({ ok: true, message })
    },
  )

  test('HO1 null is absence, and what the protocol does not know is passed over, in events too', () => {
    expect(read({ type: 'result', ...key, summary: null, exit_code: null, later: 1 })).toEqual({
      ok: true,
      message: { type: 'result', ...key },
    })
    expect(read({ type: 'progress', ...key, event: { state: 'running_tool', tool: 't', call_id: null, note: 'x' } })).toEqual({
      ok: true,
      message: { type: 'progress', ...key, event: { state: 'running_tool', tool: 't' } },
    })
    expect(read({ type: 'result', ...key, output: null })).toEqual({
      ok: true,
      message: { type: 'result', ...key, output: null },
    })
  })

  test('HO8 a message of more than 1 MiB, counted on its bytes, is refused before it is parsed; one of just that is taken', () => {
    const frame = JSON.stringify({ type: 'log', ...key, text: '' }).length
    const fits = JSON.stringify({ type: 'log', ...key, text: 'x'.repeat(1_048_576 - frame) })
    expect(read(fits).ok).toBe(true)
    expect(refusalOf(`${fits} `).code).toBe('too_large')
    expect(refusalOf('ä'.repeat(524_289)).code).toBe('too_large')
    expect(() => writeWorkerMessage({ type: 'log', ...key, text: 'x'.repeat(1_048_576) })).toThrow(
      expect.objectContaining({ code: 'too_large' }),
    )
  })

  test('HO8 a message of more than 64 levels is refused before it is parsed; brackets in texts do not count', () => {
    const nested = (levels: number) =>
      `{"type":"result","run_id":"r","task_id":"a","attempt":1,"output":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(read(nested(63)).ok).toBe(true)
    expect(refusalOf(nested(64)).code).toBe('too_large')
    expect(refusalOf('['.repeat(1_000_000)).code).toBe('too_large')
    expect(read({ type: 'log', ...key, text: '['.repeat(100) }).ok).toBe(true)
  })

  test.each([
    ['no JSON', '{"type":', 'expected a line of JSON'],
    ['nothing', '', 'expected a line of JSON'],
    ['a list', '[]', 'the message: expected an object'],
    ['an unknown type', { type: 'shout', ...key }, 'type: expected one of hello, accepted, heartbeat'],
    ['no type', { ...key }, 'type: expected one of hello'],
    ['a run id with a slash', { type: 'stopped', ...key, run_id: 'a/b' }, 'run_id: expected 1 to 128 characters'],
    ['an attempt of 0', { type: 'stopped', ...key, attempt: 0 }, 'attempt: expected an integer from 1'],
    [
      'a negative count',
      { type: 'usage', ...key, input_tokens: -1, output_tokens: 0 },
      'input_tokens: expected an integer from 0',
    ],
    [
      'a count that would be rounded',
      '{"type":"usage","run_id":"r","task_id":"a","attempt":1,"input_tokens":9007199254740993,"output_tokens":0}',
      'input_tokens: expected an integer',
    ],
    [
      'a number beyond all numbers',
      '{"type":"heartbeat","run_id":"r","task_id":"a","attempt":1,"cpu_percent":1e999}',
      'cpu_percent: expected a finite number',
    ],
    [
      'a key __proto__',
      '{"type":"result","run_id":"r","task_id":"a","attempt":1,"output":{"__proto__":1}}',
      '__proto__: expected a document without the key',
    ],
    ['an unknown state', { type: 'progress', ...key, event: { state: 'completed' } }, 'event.state: expected one of model_wait'],
    [
      'bytes that are no base64',
      { type: 'artifact', ...key, report: 1, kind: 'k', path: 'p', bytes: '*' },
      'bytes: expected base64',
    ],
  ])('HO8 %s is refused with what was expected', (_, value, expected) => {
    const refusal = refusalOf(value)
    expect(refusal.code).toBe('invalid_message')
    expect(refusal.message).toContain(expected)
  })

  test('HO8 bytes that are no UTF-8 are refused', () => {
    const reading = readWorkerMessage(Uint8Array.of(0x22, 0xff, 0x22))
    expect(reading).toMatchObject({ ok: false, refusal: { code: 'invalid_message', message: expect.stringContaining('UTF-8') } })
  })

  test('SE5 a refusal never says what was found', () => {
    const secret = 'hunter22'
    for (const value of [
      { type: secret, ...key },
      { type: 'stopped', ...key, run_id: `${secret}/` },
      { type: 'failed', ...key, reason: { secret }, failure_kind: secret },
      `"${secret}"`,
      secret,
    ]) {
      const refusal = refusalOf(value)
      expect(JSON.stringify([refusal.message, refusal.details, String(refusal.cause)])).not.toContain(secret)
    }
  })
})

describe('the order of messages', () => {
  const taken = (messages: readonly FromWorker[]) => {
    const order = createWorkerMessageOrder('w1')
    return messages.map((message) => order.refusal(message)?.code ?? 'taken')
  }
  const hello: FromWorker = { type: 'hello', worker_id: 'w1', incarnation: 'i', attempts: [] }
  const log: FromWorker = { type: 'log', ...key, text: '' }
  const stopped: FromWorker = { type: 'stopped', ...key }

  test('HO8 a channel begins with one hello, of its own worker', () => {
    expect(taken([hello, log, stopped])).toEqual(['taken', 'taken', 'taken'])
    expect(taken([log, hello, log])).toEqual(['invalid_message', 'taken', 'taken'])
    expect(taken([hello, hello])).toEqual(['taken', 'invalid_message'])
    expect(taken([{ ...hello, worker_id: 'w2' }, log, hello])).toEqual(['invalid_message', 'invalid_message', 'taken'])
  })

  test('HO8 nothing of an attempt follows its last message; other attempts go on', () => {
    const result: FromWorker = { type: 'result', ...key }
    expect(taken([hello, result, log, stopped, { ...log, attempt: 2 }])).toEqual([
      'taken', 'taken', 'invalid_message', 'invalid_message', 'taken',
    ]) // prettier-ignore
  })

  test('HO8 what it remembers is bounded', () => {
    const order = createWorkerMessageOrder('w1')
    order.refusal(hello)
    for (let attempt = 1; attempt <= 1_001; attempt++) expect(order.refusal({ ...stopped, attempt })).toBeUndefined()
    expect(order.refusal({ ...stopped, attempt: 1 })).toBeUndefined()
    expect(order.refusal({ ...stopped, attempt: 1_001 })?.code).toBe('invalid_message')
  })
})
