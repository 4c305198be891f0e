import { expect, test } from 'vitest'
import { cancelTask } from '../../../src/engine/cancel.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun } from '../../support/decided-run.ts'
import { receiptIn } from '../../support/receipt-in.ts'

const cancel = (bench: DecidedRun, cause: string | null = null) =>
  bench.decide((context, run) => cancelTask(context, run, bench.task('a'), { by: 'me', reason: 'no need', cause }))

test('RU5 cancelling a live task revokes its lease: it is interrupted, then cancelled, and its worker is told to stop', async () => {
  const bench = decidedRun({ a: {} })
  bench.lease('a')
  await bench.clock.advance(3_000)
  const [entry] = cancel(bench)
  expect(entry).toMatchObject({
    ...{ kind: 'task.stepped', task: 'a', attempt: 1, worker: 'w1', workerSeq: 1, effects: ['worker.stop'] },
    set: { status: 'cancelled', endedAt: bench.clock.now(), spentMs: 3_000, cause: 'no need' },
    events: [
      { state: 'interrupted', signal: 'no need' },
      { state: 'cancelled', cancelled_by: 'me' },
    ],
  })
  expect(receiptIn(entry)).toMatchObject({
    ...{ result: 'skip', attempt: 1, worker_id: 'w1', terminal_seq: 2, evidence: 'no need', spent: { seconds: 3 } },
  })
})

test('RU5 VE6 cancelling a waiting task speaks of no attempt, though it had one, and nobody is stopped', async () => {
  const bench = decidedRun({ a: {} })
  bench.lease('a')
  await bench.clock.advance(3_000)
  bench.set('a', { status: 'enqueued', spentMs: 3_000 })
  const [entry] = cancel(bench, 'other')
  expect(entry).toMatchObject({
    ...{ attempt: undefined, worker: 'fleet', workerSeq: 2, effects: undefined },
    set: { status: 'cancelled', cause: 'other' },
  })
  expect(receiptIn(entry)).toMatchObject({ result: 'skip', worker_id: 'fleet', terminal_seq: 2, spent: { seconds: 3 } })
  expect(entry?.set).not.toHaveProperty('spentMs')
  expect(entry?.events).toEqual([{ state: 'cancelled', cancelled_by: 'me' }])
  expect(receiptIn(entry)).not.toHaveProperty('attempt')
  expect(receiptIn(entry)).not.toHaveProperty('effective_permissions')
})

test('VE1 cancelling a task that is verified interrupts it, but nobody works on it who could be stopped', () => {
  const bench = decidedRun({ a: {} })
  bench.lease('a')
  bench.set('a', { status: 'verifying', pending: { output: 1, exitCode: null } })
  const [entry] = cancel(bench)
  expect(entry).toMatchObject({ attempt: 1, set: { status: 'cancelled', pending: null }, effects: undefined })
  expect(entry?.events).toMatchObject([{ state: 'interrupted' }, { state: 'cancelled' }])
})

test('CO3 cancelling what has ended is refused and changes nothing', () => {
  const bench = decidedRun({ a: {} })
  cancel(bench)
  const { seq } = bench.run
  expect(() => cancel(bench)).toThrow(expect.objectContaining({ code: 'refused' }))
  expect(bench.run.seq).toBe(seq)
})
