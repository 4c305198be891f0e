import { expect, test } from 'vitest'
import { publicEvent } from '../../../src/engine/public-event.ts'
import { FleetRuntimeEvent } from '../../../src/protocol/event.ts'
import { redactShapes } from '../../../src/security/redact.ts'
import { openBench, task } from '../../support/bench-fleet.ts'

const secrets = ['hunter2-hunter2', 'sk-live-0123456789abcdef', 'eyJhbGciOiJIUzI1NiJ9.payload', 'ghp_0123456789abcdef0123']

/** A run whose worker says things that are nobody's business. */
async function talkativeRun() {
  const bench = await openBench()
  const run = await bench.fleet.start({
    name: 'private name',
    tasks: [task('a', { retry_policy: { max_attempts: 1 }, scorer: { kind: 'exit_code' } }), task('b')],
  })
  await bench.clock.settle()
  const held = bench.transport.attempt('a')
  held.accept()
  held.send({ type: 'progress', event: { state: 'running_tool', tool: 'cargo', call_id: 'call-4711' } } as never)
  held.send({
    type: 'progress',
    event: { state: 'workflow_event', workflow_run_id: 'w', event: { type: 'step', inner: 'confidential' } },
  } as never)
  held.send({ type: 'artifact', report: 1, kind: 'patch', path: 'private/place.patch', bytes: new Uint8Array([1]) } as never)
  held.send({ type: 'progress', event: { state: 'model_wait', model: 'm1' } } as never)
  await bench.clock.settle()
  held.fail(`api_key = ${secrets[0]}; used ${secrets[1]}; authorization: Bearer ${secrets[2]} and ${secrets[3]}`)
  await bench.clock.settle()
  bench.transport.attempt('b').complete({ summary: 'a confidential summary' })
  await run.result()
  await run.settle('b', { result: 'pass', by: 'Ada Lovelace' }).catch(() => undefined)
  const all = []
  for await (const event of run.events()) all.push(event)
  return { all, open: all.map(publicEvent).filter((event) => event !== undefined) }
}

test('EV4 the host application hears everything', async () => {
  const text = JSON.stringify((await talkativeRun()).all)
  for (const told of [
    'call-4711',
    'confidential',
    'private/place.patch',
    'Ada Lovelace',
    'a confidential summary',
    'private name',
  ]) {
    expect(text).toContain(told)
  }
})

test('EV4 what leaves the host holds no call id, path, summary, name of a person or credential (L2)', async () => {
  const { all, open } = await talkativeRun()
  const text = JSON.stringify(open)
  expect(open).toHaveLength(all.length)
  for (const hidden of ['call-4711', 'confidential', 'private/place', 'sha256', 'Ada Lovelace', 'private name', ...secrets]) {
    expect(text).not.toContain(hidden)
  }
  for (const told of ['cargo', '"type":"step"', '"kind":"patch"', '"size_bytes":1', 'm1', '"failure_kind":"task"'])
    expect(text).toContain(told)
})

test('EV4 the public form is the contract’s, with the prefix and the same cursors', async () => {
  const { all, open } = await talkativeRun()
  for (const [index, event] of open.entries()) {
    expect(FleetRuntimeEvent.parse(event)).toEqual(event)
    expect(event.event).toBe(`fleet.${all[index]!.event}`)
    expect(event.cursor).toBe(all[index]!.cursor)
  }
})

test('EV4 the public form says of what, by whom and when, as the full one does', async () => {
  const { all, open } = await talkativeRun()
  const about = (event: object) => {
    const { run_id, worker_id, task_id, timestamp, worker_seq } = event as FleetRuntimeEvent
    return { run_id, worker_id, task_id, timestamp, worker_seq }
  }
  expect(open.map(about)).toEqual(all.map(about))
  expect(open.map(about)).toContainEqual({
    run_id: all[0]?.run_id,
    worker_id: 'w1',
    task_id: 'a',
    timestamp: all[0]?.timestamp,
    worker_seq: 1,
  })
})

test('EV4 events of no run stay inside', () => {
  const event = {
    cursor: '',
    event: 'store.failing',
    run_id: '',
    timestamp: '2030-01-01T00:00:00.000Z',
    payload: { reason: 'disk' },
  } as const
  expect(publicEvent(event)).toBeUndefined()
})

test.each([
  ['Bearer abcdefgh12345678', 'Bearer [redacted]'],
  ['password: "two words" then', 'password: [redacted] then'],
  ['MY_API_KEY=abc123,next', 'MY_API_KEY=[redacted],next'],
  ['postgres://me:pw@host/db', 'postgres://[redacted]@host/db'],
  ['token ghp_abcdefghijklmnop here', 'token [redacted] here'],
  ['nothing to hide: 12 files, 3 tokens spent', 'nothing to hide: 12 files, 3 tokens spent'],
])('EV4 shapes of credentials are covered: %s', (text, covered) => {
  expect(redactShapes(text)).toBe(covered)
})

test('EV4 of a reason that holds what the work wrote, only the first line is told', () => {
  const failed = {
    cursor: 'fev1_a_1_0',
    event: 'worker.failed',
    run_id: 'r',
    timestamp: '2030-01-01T00:00:00.000Z',
    payload: { reason: 'exit code 1\ncustomer Ada Lovelace, pin 4711', recoverable: true },
  } as const
  expect(publicEvent(failed)?.payload).toEqual({ reason: 'exit code 1', recoverable: true })
})
