import { expect, test } from 'vitest'
import { openBench, task } from '../../support/bench-fleet.ts'

test('BU3 tokens of an older attempt count, but only from a worker that had the task', async () => {
  const bench = await openBench({ slots: 2 })
  const run = await bench.fleet.start({
    name: 'r',
    tasks: [task('a', { retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 } })],
  })
  await bench.clock.settle()
  bench.transport.attempt('a').fail('once')
  await bench.clock.settle()
  const key = { run_id: run.id, task_id: 'a', attempt: 1 }
  bench.transport.say('w1', { type: 'usage', ...key, input_tokens: 3, output_tokens: 4 })
  await bench.fleet.addWorker({ id: 'w2', transport: bench.transport })
  bench.transport.say('w2', { type: 'usage', ...key, input_tokens: 100, output_tokens: 100 })
  await bench.clock.settle()
  bench.transport.attempt('a').complete()
  expect((await run.result()).receipts['a']?.usage).toEqual({ input_tokens: 3, output_tokens: 4 })
})

test('BU4 after a crash the time counts until the run was last heard of, not while no fleet was there', async () => {
  const bench = await openBench()
  await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await bench.clock.settle()
  bench.transport.attempt('a').accept()
  await bench.clock.advance(3_000)
  bench.transport.attempt('a').send({ type: 'progress', event: { state: 'model_wait' } } as never)
  await bench.clock.settle()
  bench.store.crash()
  await bench.clock.advance(3_600_000)
  const next = await openBench({ store: bench.store.peer(), clock: bench.clock, seed: 'next' })
  next.transport.attempt('a').accept()
  await next.clock.advance(2_000)
  next.transport.attempt('a').complete()
  const result = await (await next.fleet.run('r')).result()
  expect(result.receipts['a']?.spent?.seconds).toBe(5)
})
