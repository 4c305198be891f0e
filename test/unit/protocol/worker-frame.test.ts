import { describe, expect, test } from 'vitest'
import { readWorkerFrame } from '../../../src/protocol/index.ts'
import type { FleetError } from '../../../src/protocol/index.ts'
import { workerFrames } from './worker-frames.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const read = (value: unknown) => readWorkerFrame(encode(typeof value === 'string' ? value : JSON.stringify(value)))
const refusalOf = (value: unknown): FleetError => {
  const reading = read(value)
  if (reading.ok) throw new Error('It was taken.')
  return reading.refusal
}
const key = { run_id: 'r', task_id: 'a', attempt: 1, seq: 1 }

describe('frames of workers', () => {
  test.each(workerFrames.map((frame) => [frame.type, frame] as const))('HO1 %s is read as it was written', (_, frame) => {
    expect(read(frame)).toEqual({ ok: true, frame })
  })

  test('HO1 null is absence, and what the protocol does not know is passed over, in events too', () => {
    expect(read({ type: 'result', ...key, summary: null, exit_code: null, later: 1 })).toEqual({
      ok: true,
      frame: { type: 'result', ...key },
    })
    expect(read({ type: 'progress', ...key, event: { state: 'running_tool', tool: 't', call_id: null, note: 'x' } })).toEqual({
      ok: true,
      frame: { type: 'progress', ...key, event: { state: 'running_tool', tool: 't' } },
    })
    expect(read({ type: 'result', ...key, output: null })).toEqual({
      ok: true,
      frame: { type: 'result', ...key, output: null },
    })
  })

  test('HO8 a message of more than 1 MiB, counted on its bytes, is refused before it is parsed; one of just that is taken', () => {
    const frame = JSON.stringify({ type: 'log', ...key, text: '' }).length
    const fits = JSON.stringify({ type: 'log', ...key, text: 'x'.repeat(1_048_576 - frame) })
    expect(read(fits).ok).toBe(true)
    expect(refusalOf(`${fits} `).code).toBe('too_large')
    expect(refusalOf('ä'.repeat(524_289)).code).toBe('too_large')
  })

  test('HO8 a message of more than 64 levels is refused before it is parsed; brackets in texts do not count', () => {
    const nested = (levels: number) =>
      `{"type":"result","run_id":"r","task_id":"a","attempt":1,"seq":1,"output":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(read(nested(63)).ok).toBe(true)
    expect(refusalOf(nested(64)).code).toBe('too_large')
    expect(refusalOf('['.repeat(1_000_000)).code).toBe('too_large')
    expect(read({ type: 'log', ...key, text: '['.repeat(100) }).ok).toBe(true)
  })

  test.each([
    ['no JSON', '{"type":', 'expected a line of JSON'],
    ['nothing', '', 'expected a line of JSON'],
    ['a list', '[]', 'the message: expected an object'],
    ['an unknown type', { type: 'shout', ...key }, 'type: expected one of hello, ack, ping, pong'],
    ['no type', { ...key }, 'type: expected one of hello'],
    ['a run id with a slash', { type: 'stopped', ...key, run_id: 'a/b' }, 'run_id: expected 1 to 128 characters'],
    ['a frame without its number', { type: 'log', ...key, seq: undefined, text: '' }, 'seq: expected an integer from 1'],
    ['an attempt of 0', { type: 'stopped', ...key, attempt: 0 }, 'attempt: expected an integer from 1'],
    [
      'a negative count',
      { type: 'usage', ...key, input_tokens: -1, output_tokens: 0 },
      'input_tokens: expected an integer from 0',
    ],
    [
      'a count that would be rounded',
      '{"type":"usage","run_id":"r","task_id":"a","attempt":1,"seq":1,"input_tokens":9007199254740993,"output_tokens":0}',
      'input_tokens: expected an integer',
    ],
    [
      'a number beyond all numbers',
      '{"type":"heartbeat","run_id":"r","task_id":"a","attempt":1,"cpu_percent":1e999}',
      'cpu_percent: expected a finite number',
    ],
    [
      'a key __proto__',
      '{"type":"result","run_id":"r","task_id":"a","attempt":1,"seq":1,"output":{"__proto__":1}}',
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
    const reading = readWorkerFrame(Uint8Array.of(0x22, 0xff, 0x22))
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
