import { describe, expect, test } from 'vitest'
import { entriesOf, statuses, verdicts } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'

describe('RU5 cancelling a run', () => {
  test('RU5 cancelling a run ends queued tasks at once and revokes its leases at once (S6)', async () => {
    const { fleet, clock, transport, names } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: ['a', 'b', 'c'].map((id) => task(id)) })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    expect(await run.cancel({ reason: 'enough', by: 'ann' })).toMatchObject({ changed: true })
    // No time has passed, and the worker has not answered yet.
    expect(await statuses(run)).toEqual({ a: 'cancelled', b: 'cancelled', c: 'cancelled' })
    expect(await run.summary()).toMatchObject({ status: 'cancelled', cancelled: 3, running: 0, queued: 0 })
    await clock.settle()
    expect(names('a').slice(-4)).toEqual(['worker.interrupted', 'worker.cancelled', 'task.receipt_recorded', 'task.terminal'])
    expect(names('b').slice(-3)).toEqual(['worker.cancelled', 'task.receipt_recorded', 'task.terminal'])
  })

  test('RU5 the workers of revoked leases are told to stop, with the reason', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    transport.attempt('a').accept()
    await run.cancel({ reason: 'enough' })
    await clock.settle()
    for (const id of ['a', 'b']) {
      expect(transport.attempt(id).stopped).toMatchObject({ type: 'stop', attempt: 1, code: 'task_cancelled', reason: 'enough' })
    }
  })

  test('RU5 each cancelled task gets a skip receipt, waiting or live (W14)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b'), task('c', { depends_on: ['a'] })] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    await run.cancel({ reason: 'enough' })
    expect(await verdicts(run)).toEqual(['a/1 skip', 'b/- skip', 'c/- skip'])
    expect(await run.receipt('a')).toMatchObject({ worker_id: 'w1', evidence: 'enough', attempt: 1 })
    expect(await run.receipt('b')).toMatchObject({ worker_id: 'fleet' })
    expect((await run.receipt('b'))?.attempt).toBeUndefined()
  })

  test('RU5 results that come after the cancel are fenced out (W16)', async () => {
    const { fleet, clock, transport, store } = await openBench({ slots: 2 })
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    transport.attempt('a').accept()
    transport.attempt('b').accept()
    await clock.settle()
    await run.cancel()
    const before = store.lines(run.id).length
    transport.attempt('a').complete({ output: 'too late' })
    transport.attempt('b').fail('too late')
    await clock.advance(600_000)
    expect(store.lines(run.id)).toHaveLength(before)
    expect(await verdicts(run)).toEqual(['a/1 skip', 'b/1 skip'])
  })

  test('RU5 a log and artifacts that arrive after the cancel follow as entries that name the attempt', async () => {
    const files = memoryFiles()
    const { fleet, clock, transport } = await openBench({ files })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    const held = transport.attempt('a')
    held.accept()
    await clock.settle()
    await run.cancel()
    held.send({ type: 'log', text: 'last words\n' } as never)
    held.send({ type: 'artifact', report: 1, kind: 'report', path: 'r.txt', bytes: new TextEncoder().encode('late') } as never)
    held.confirm()
    await clock.settle()
    const left = await run.artifacts('a')
    expect(left.map(({ attempt, artifact }) => [attempt, artifact.kind])).toEqual([
      [1, 'report'],
      [1, 'log'],
    ])
    expect(new TextDecoder().decode(await run.openArtifact(left[1]!.artifact))).toBe('last words\n')
    // They changed no task.
    expect([await statuses(run), await verdicts(run)]).toEqual([{ a: 'cancelled' }, ['a/1 skip']])
  })

  test('RU5 a task that waits for its verdict is cancelled, and the verdict that comes later changes nothing', async () => {
    let answer: () => void = () => undefined
    const plain = memoryFiles({ '/base/done.txt': 'x' })
    const asked = new Promise<void>((resolve) => (answer = resolve))
    const files = { ...plain, facts: (path: string) => asked.then(() => plain.facts(path)) }
    const { fleet, clock, transport } = await openBench({
      files: { ...plain, facts: (path) => (path === '/base' ? plain.facts(path) : files.facts(path)) },
      workspace: '/base',
    })
    const run = await fleet.start({ name: 'r', tasks: [task('a', { scorer: { kind: 'file_exists', path: 'done.txt' } })] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'verifying' })
    await run.cancel()
    answer()
    await clock.settle()
    expect([await statuses(run), await verdicts(run)]).toEqual([{ a: 'cancelled' }, ['a/1 skip']])
  })

  test('RU5 cancelling what has ended changes nothing and says so (W17)', async () => {
    const { fleet, clock, transport, store } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    const before = store.lines(run.id)
    expect(await run.cancel()).toEqual({ changed: false, message: expect.stringContaining('completed') })
    expect(await run.cancelTask('a')).toEqual({ changed: false, message: expect.stringContaining('completed') })
    expect(store.lines(run.id)).toEqual(before)
    expect((await run.summary()).status).toBe('completed')
  })

  test('RU5 cancelling twice cancels once', async () => {
    const { fleet, clock } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    const outcomes = await Promise.all([run.cancel(), run.cancel(), run.cancelTask('a')])
    expect(outcomes.map((outcome) => outcome.changed)).toEqual([true, false, false])
    expect(await verdicts(run)).toEqual(['a/1 skip', 'b/- skip'])
  })

  test('RU5 tasks that had completed before stay completed (W17)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    await run.cancel()
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'cancelled' })
    expect(await verdicts(run)).toEqual(['a/1 partial', 'b/1 skip'])
  })

  test('RU5 a cancel outlives the fleet: the next one does not take the tasks up again (W16)', async () => {
    const first = await openBench()
    const run = await first.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await first.clock.settle()
    await run.cancel()
    first.store.crash()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    await second.clock.advance(600_000)
    expect(second.transport.attempts).toHaveLength(0)
    expect((await (await second.fleet.run(run.id)).summary()).status).toBe('cancelled')
  })
})

describe('RU5 cancelling a task', () => {
  test('RU5 cancelling a task leaves its siblings untouched', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const run = await fleet.start({ name: 'r', tasks: ['a', 'b', 'c'].map((id) => task(id)) })
    await clock.settle()
    for (const id of ['a', 'b']) transport.attempt(id).accept()
    await clock.settle()
    await run.cancelTask('a', { reason: 'not this one' })
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'cancelled', b: 'running', c: 'enqueued' })
    expect(transport.attempt('b').stopped).toBeUndefined()
    transport.attempt('a').confirm()
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'cancelled', b: 'running', c: 'starting' })
    expect((await run.summary()).status).toBe('running')
  })

  test('RU5 the dependants of a cancelled task follow', async () => {
    const { fleet } = await openBench({ workers: [] })
    const run = await fleet.start({
      name: 'r',
      tasks: [task('a'), task('b', { depends_on: ['a'] }), task('c', { depends_on: ['b'] }), task('d')],
    })
    await run.cancelTask('a')
    expect(await statuses(run)).toEqual({ a: 'cancelled', b: 'cancelled', c: 'cancelled', d: 'enqueued' })
    expect((await run.receipt('c'))?.evidence).toContain('b')
  })

  test('RU5 a cancelled live attempt shows interrupted, then cancelled; a waiting one only cancelled', async () => {
    const { fleet, clock, heard } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    await run.cancelTask('a', { by: 'ann', reason: 'wrong input' })
    await run.cancelTask('b', { by: 'bob' })
    await clock.settle()
    const told = heard.filter((event) => event.event === 'worker.interrupted' || event.event === 'worker.cancelled')
    expect(told.map((event) => [event.task_id, event.event, event.payload])).toEqual([
      ['a', 'worker.interrupted', { signal: 'wrong input' }],
      ['a', 'worker.cancelled', { cancelled_by: 'ann' }],
      ['b', 'worker.cancelled', { cancelled_by: 'bob' }],
    ])
  })

  test('RU5 interrupting a worker is cancelling its current task: it is free for the next (M17, M19)', async () => {
    const { fleet, clock, transport, heard } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    expect(fleet.workers()).toMatchObject([{ id: 'w1', status: 'busy', busy: 1 }])
    await run.cancelTask('a', { attempt: 1 })
    await clock.settle()
    expect(heard.findLast((event) => event.event === 'worker.cancelled')?.payload).toEqual({ cancelled_by: 'operator' })
    expect(fleet.workers()).toMatchObject([{ id: 'w1', status: 'online', busy: 0 }])
    transport.attempt('a').confirm()
    await clock.settle()
    transport.attempt('b').complete()
    await clock.settle()
    expect(await run.summary()).toMatchObject({ completed: 1, cancelled: 1, status: 'cancelled' })
  })

  test('RU5 a cancel that means one attempt does not cancel a later one (W18)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    await run.restart('a')
    transport.attempt('a').confirm()
    await clock.settle()
    expect(transport.attempt('a').assign.attempt).toBe(2)
    await expect(run.cancelTask('a', { attempt: 1 })).rejects.toMatchObject({ code: 'refused' })
    expect(await statuses(run)).toEqual({ a: 'starting' })
    // The positive control.
    expect(await run.cancelTask('a', { attempt: 2 })).toMatchObject({ changed: true })
  })

  test('RU5 a cancel that means one attempt does nothing between two attempts (W18)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').fail('no')
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'backoff' })
    await expect(run.cancelTask('a', { attempt: 1 })).rejects.toMatchObject({ code: 'refused' })
    expect(await statuses(run)).toEqual({ a: 'backoff' })
    expect(await run.cancelTask('a')).toMatchObject({ changed: true })
  })

  test('RU5 a task that waits for its retry is cancelled and never tried again', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').fail('no')
    await clock.settle()
    await run.cancelTask('a')
    await clock.advance(600_000)
    expect(transport.attempts).toHaveLength(1)
    // The attempt has its receipt already; that of the cancel is of no attempt (VE6).
    expect(await verdicts(run)).toEqual(['a/1 fail task', 'a/- skip'])
    expect(await run.receipt('a')).toMatchObject({ worker_id: 'fleet', artifacts: [] })
    expect((await run.tasks())[0]).not.toHaveProperty('not_before')
  })

  test('RU5 an attempt that was never handed over is not handed over after its cancel', async () => {
    let found: () => void = () => undefined
    const wait = new Promise<void>((resolve) => (found = resolve))
    const plain = memoryFiles()
    const { fleet, clock, transport } = await openBench({
      files: { ...plain, real: (path) => (path === '/base/slow' ? wait : Promise.resolve()).then(() => plain.real(path)) },
      workspace: '/base',
    })
    const run = await fleet.start({ name: 'r', tasks: [task('a', { workspace: { root: 'slow' } }), task('b')] })
    await clock.settle()
    await run.cancelTask('a')
    found()
    await clock.settle()
    expect(transport.attempts.map((held) => held.assign.task_id)).toEqual(['b'])
    expect(await verdicts(run)).toEqual(['a/1 skip'])
  })

  test('RU5 stopping all runs cancels what is live and what is queued (M21)', async () => {
    const { fleet, clock } = await openBench()
    await fleet.start({ name: 'one', tasks: [task('a')] })
    await fleet.start({ name: 'two', tasks: [task('b')] })
    await clock.settle()
    expect(await fleet.summary()).toMatchObject({ running: 1, queued: 1 })
    for (const { id } of await fleet.runs()) await (await fleet.run(id)).cancel()
    expect(await fleet.summary()).toMatchObject({ running: 0, queued: 0, cancelled: 2 })
  })

  test('RU5 the entry that cancels a task holds its receipt', async () => {
    const { fleet, store } = await openBench({ workers: [] })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await run.cancel()
    const [entry] = entriesOf(store, run.id).filter((one) => one.set?.status === 'cancelled')
    expect(entry?.receipt).toMatchObject({ result: 'skip' })
    expect(await run.receipt('a')).toMatchObject({ run_id: run.id, task_id: 'a', result: 'skip' })
  })
})
