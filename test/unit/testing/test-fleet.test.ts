import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createTestFleet, faults, script, worker } from '../../../src/testing/index.ts'
import { statesOf } from '../../support/journal.ts'
import { statuses, verdicts } from '../../support/looking.ts'
import { task } from '../../support/bench-fleet.ts'
import { storyOf } from '../../fixtures/seeded-story.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

test('DE1 a whole run with retries takes virtual hours and no real timer', async () => {
  await using fleet = await createTestFleet({
    workers: [
      worker('w1').on(
        'build',
        script().after('2s').tool('cargo').fail('no compiler'),
        script().after('20m').usage({ outputTokens: 500 }).complete({ ok: true }),
      ),
    ],
  })
  const began = fleet.now()
  const run = await fleet.start({ name: 'story', tasks: [task('build')] })
  const result = await fleet.until(run.result())
  expect(result.receipts['build']).toMatchObject({ attempt: 2, output: { ok: true } })
  expect(await verdicts(run)).toEqual(['build/1 fail task', 'build/2 partial'])
  expect(fleet.now() - began).toBe(2_000 + 5_000 + 20 * 60_000)
  expect(await statesOf(run, 'build')).toContain('running_tool')
})

test('DE1 two runs of one seed give byte-identical journals, and another seed gives another', async () => {
  const [first, second, other] = [await storyOf('a'), await storyOf('a'), await storyOf('b')]
  expect(first.length).toBeGreaterThan(2_000)
  expect(second).toBe(first)
  expect(other).not.toBe(first)
})

test('DE1 the journal is the same in another process, in another folder', async () => {
  const program = fileURLToPath(new URL('../../fixtures/print-seeded-story.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-C', 'flotilla-source', '--import', fileURLToPath(import.meta.resolve('tsx')), program, 'a'],
    { cwd: `${root}/test`, maxBuffer: 64 * 1024 * 1024 },
  )
  expect(stdout).toBe(await storyOf('a'))
})

test('LE4 a stalled worker loses its lease after a ttl, and the task is tried again', async () => {
  await using fleet = await createTestFleet({ workers: [worker('w1').otherwise(script().stall(), script().complete())] })
  const run = await fleet.start({ name: 'stuck', tasks: [task('a')] })
  await fleet.advance('59s')
  expect(await statuses(run)).toEqual({ a: 'running' })
  await fleet.until(run.result())
  expect(await verdicts(run)).toEqual(['a/1 fail transport', 'a/2 partial'])
})

test('WO3 a deaf worker is written off, and its slot is given to the next task', async () => {
  await using fleet = await createTestFleet({
    workers: [worker('deaf').otherwise(script().stall({ deaf: true })), worker('well', { capabilities: ['x'] })],
  })
  const run = await fleet.start({ name: 'stuck', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
  await fleet.until(run.result())
  await fleet.advance('1m')
  expect(fleet.fleet.workers().map(({ id, abandoned }) => [id, abandoned])).toEqual([
    ['deaf', 1],
    ['well', 0],
  ])
  expect(await verdicts(run)).toHaveLength(1)
})

test('WO3 a worker whose confirmation was lost on a line that lives is asked again, and gets work again', async () => {
  await using fleet = await createTestFleet({
    workers: [worker('w1').otherwise(script().stall(), script().complete('second'))],
    // What is heard: accepted, and that it stopped.
    faults: faults({ exactly: [{ kind: 'heard.drop', at: 2 }] }),
  })
  const run = await fleet.start({ name: 'lost', tasks: [task('a')] })
  await fleet.advance('90s')
  expect(fleet.fleet.workers()).toMatchObject([{ status: 'unhealthy', abandoned: 1 }])
  expect((await fleet.until(run.result())).receipts['a']).toMatchObject({ attempt: 2, output: 'second' })
  expect(fleet.fleet.workers()).toMatchObject([{ status: 'online', abandoned: 0 }])
})

test('WO3 a worker that answers nothing is asked five times, and then left alone', async () => {
  await using fleet = await createTestFleet({ workers: [worker('deaf', { slots: 2 }).otherwise(script().stall({ deaf: true }))] })
  await fleet.start({ name: 'deaf', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
  const began = fleet.now()
  await fleet.advanceUntilIdle()
  expect(fleet.pendingTimers()).toEqual([])
  expect(fleet.fleet.workers()).toMatchObject([{ status: 'unhealthy', abandoned: 1 }])
  expect(fleet.now() - began).toBeLessThan(10 * 60_000)
})

test('WO1 a worker that crashes fails its attempt as lost, and comes back for the next', async () => {
  await using fleet = await createTestFleet({
    workers: [worker('w1').on('a', script().after('1s').crash(), script().complete('done'))],
  })
  const run = await fleet.start({ name: 'lost', tasks: [task('a')] })
  const result = await fleet.until(run.result())
  expect(result.status).toBe('completed')
  expect(await verdicts(run)).toEqual(['a/1 fail transport', 'a/2 partial'])
})

test('HO7 a remote worker goes on through a lost line, and hands over what it had to say', async () => {
  await using fleet = await createTestFleet({
    workers: [worker('far', { remote: true }).otherwise(script().disconnect('30s').after('10s').tool('make').complete('kept'))],
  })
  const run = await fleet.start({ name: 'line', tasks: [task('a')] })
  const result = await fleet.until(run.result())
  expect(result.receipts['a']).toMatchObject({ attempt: 1, output: 'kept' })
  expect(await statesOf(run, 'a')).toContain('running_tool')
})

test('LE6 after a crash the attempts of workers that lived with it are released, those of remote ones go on', async () => {
  const play = script().after('20s').complete()
  await using fleet = await createTestFleet({
    workers: [
      worker('near', { capabilities: ['near'] }).otherwise(play),
      worker('far', { remote: true, capabilities: ['far'] }).otherwise(play),
    ],
  })
  const { id } = await fleet.start({
    name: 'crash',
    tasks: ['near', 'far'].map((name) => task(name, { worker: { capabilities: [name] } })),
  })
  await fleet.advance('5s')
  await fleet.crash({ downFor: '3s' })
  const run = await fleet.run(id)
  const { receipts } = await fleet.until(run.result())
  expect([receipts['near']?.attempt, receipts['far']?.attempt]).toEqual([2, 1])
})

test('CO7 ordinary handlers work beside scripts, and after a crash', async () => {
  const tries: number[] = []
  await using fleet = await createTestFleet({
    handlers: {
      async slow({ number, delay }) {
        tries.push(number)
        await delay(60_000)
        return number
      },
    },
    workers: [worker('w1').otherwise(async (attempt) => (await attempt.delay(1_000), 'plain'))],
  })
  const { id } = await fleet.start({ name: 'both', tasks: [task('h', { handler: 'slow' }), task('p')] })
  await fleet.advance('30s')
  await fleet.crash()
  const { receipts } = await fleet.until((await fleet.run(id)).result())
  expect([receipts['h']?.output, receipts['p']?.output, tries]).toEqual([2, 'plain', [1, 2]])
})

test('DE2 a handler that waits for a real timer is reported with its task, not waited for', async () => {
  const fleet = await createTestFleet({
    handlers: { sleepy: () => new Promise((resolve) => setTimeout(resolve, 3_600_000).unref()) },
  })
  const run = await fleet.start({ name: 'real', tasks: [task('nap', { handler: 'sleepy' })] })
  await expect(fleet.until(run.result())).rejects.toThrow(/task nap \(attempt 1\) waits for a real timer.*attempt\.delay/)
})

test('DE2 a timer that a handler set and cleared, or a file that it reads, is no reason to complain', async () => {
  const { readFile } = await import('node:fs/promises')
  await using fleet = await createTestFleet({
    handlers: {
      async reads({ delay }) {
        clearTimeout(setTimeout(() => undefined, 1_000))
        const text = await readFile(import.meta.filename, 'utf8')
        await delay(1_000)
        return text.length > 100
      },
    },
  })
  const run = await fleet.start({ name: 'files', tasks: [task('a', { handler: 'reads' })] })
  expect((await fleet.until(run.result())).receipts['a']?.output).toBe(true)
})

test('DE2 what can never come is told, not waited for', async () => {
  await using fleet = await createTestFleet({ workers: [worker('w1')] })
  const run = await fleet.start({ name: 'none', tasks: [task('a', { handler: 'nobody' })] })
  await expect(fleet.until(run.result())).rejects.toThrow(/Nothing waits for time any more/)
  await expect(fleet.advanceUntil(() => false)).rejects.toThrow(/Nothing waits for time any more/)
})

test('DE3 a crash after the seventh append is a crash after the seventh append', async () => {
  await using fleet = await createTestFleet({
    workers: [worker('w1').otherwise(script().after('1s').complete())],
    faults: faults({ exactly: [{ kind: 'crash.after-append', at: 7 }] }),
  })
  const { id } = await fleet.start({ name: 'crash', tasks: ['a', 'b', 'c', 'd'].map((name) => task(name)) })
  await fleet.advanceUntilIdle()
  expect(fleet.struck).toEqual([{ kind: 'crash.after-append', at: 7 }])
  expect((await (await fleet.run(id)).summary()).status).toBe('completed')
})
