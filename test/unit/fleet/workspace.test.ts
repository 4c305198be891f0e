import { describe, expect, test, vi } from 'vitest'
import { statuses, verdicts } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'

const base = { '/base/here.txt': 'x', '/base/src/one.ts': 'x', '/base/sub/inner.txt': 'x', '/outside/secret.txt': 'x' }

/** Starts a task with these fields in `/base`, and tells what became of it before any worker said a word. */
async function started(more: Record<string, unknown>, files = memoryFiles(base)) {
  const bench = await openBench({ files, workspace: '/base' })
  const run = await bench.fleet.start({ name: 'r', tasks: [task('a', more)] })
  await bench.clock.settle()
  const [receipt] = await run.receipts('a')
  return { ...bench, run, receipt, assign: bench.transport.attempts[0]?.assign }
}

describe('WS1', () => {
  test('WS1 workspace.root is resolved under the workspace of the fleet; without one it is that folder', async () => {
    expect((await started({})).assign?.root).toBe('/base')
    expect((await started({ workspace: { root: 'sub' } })).assign?.root).toBe('/base/sub')
    expect((await started({ workspace: { root: '/base/sub' } })).assign?.root).toBe('/base/sub')
  })

  test.each([
    ['an absolute path outside', '/outside'],
    ['a folder whose name begins like the workspace', '/base-evil'],
    ['a symlink that leads out', 'link'],
  ])('WS1 %s is refused: the attempt fails for good before it starts, naming it (W40)', async (_, root) => {
    const plain = memoryFiles({ ...base, '/base-evil/x.txt': 'x' })
    const files = {
      ...plain,
      real: (path: string) => (path === '/base/link' ? Promise.resolve('/outside') : plain.real(path)),
    }
    const { run, receipt, assign } = await started({ workspace: { root } }, files)
    expect(assign).toBeUndefined()
    expect(receipt).toMatchObject({ result: 'fail', failure_kind: 'task', evidence: expect.stringContaining(root) })
    expect(await statuses(run)).toEqual({ a: 'failed' })
  })

  test.each(['../outside', 'sub/../../outside'])(
    'WS1 `%s` is refused at creation: nothing is stored (W22, W40)',
    async (root) => {
      const bench = await openBench({ files: memoryFiles(base), workspace: '/base' })
      const refused = bench.fleet.start({ name: 'r', tasks: [task('a', { workspace: { root } })] })
      await expect(refused).rejects.toMatchObject({
        code: 'invalid_document',
        message: expect.stringContaining('workspace.root'),
      })
      expect(await bench.fleet.runs()).toEqual([])
    },
  )

  test('WS1 the workspace is kept with the run: another fleet that carries it on uses the same', async () => {
    const files = memoryFiles(base)
    const first = await openBench({ files, workspace: '/base/sub', workers: [] })
    await first.fleet.start({ name: 'r', tasks: [task('a')] })
    await first.fleet.close()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second', files, workspace: '/base' })
    await second.clock.settle()
    expect(second.transport.attempt('a').assign.root).toBe('/base/sub')
  })
})

describe('WS2', () => {
  test.each([
    ['required_files', { workspace: { required_files: ['here.txt', 'missing.txt'] } }],
    ['input_files', { input_files: ['here.txt', 'missing.txt'] }],
  ])('WS2 %s are checked before the attempt starts; a missing one is a final task failure that names it', async (field, more) => {
    const { run, receipt, assign, clock, transport } = await started(more)
    expect(assign).toBeUndefined()
    expect(receipt).toMatchObject({
      result: 'fail',
      failure_kind: 'task',
      evidence: expect.stringMatching(new RegExp(`${field}: missing.txt`)),
    })
    expect(receipt?.evidence).not.toContain('here.txt')
    await clock.advance(600_000)
    expect(transport.attempts).toHaveLength(0)
    expect(await verdicts(run)).toEqual(['a/1 fail task'])
  })

  test('WS2 files that are there, and globs that match, let it start', async () => {
    const more = { input_files: ['here.txt', 'src/*.ts', '**/inner.txt'], workspace: { required_files: ['sub/inner.txt'] } }
    expect((await started(more)).assign?.task.input_files).toEqual(more.input_files)
  })

  test('WS2 a glob that matches nothing is missing', async () => {
    expect((await started({ input_files: ['src/*.rs'] })).receipt?.evidence).toContain('src/*.rs')
  })

  test('WS2 a path that leaves the root is refused at creation, naming it', async () => {
    for (const [path, why] of [
      ['../outside/secret.txt', '`..`'],
      ['/outside/secret.txt', 'is absolute'],
    ] as const) {
      const refused = started({ input_files: [path] })
      await expect(refused).rejects.toMatchObject({ code: 'invalid_document', message: expect.stringContaining(why) })
    }
  })

  test('WS2 everything that is missing is told at once', async () => {
    const { receipt } = await started({
      input_files: ['one.txt', 'two.txt'],
      workspace: { required_files: ['three.txt'], environment: { required: ['FLOTILLA_TEST_UNSET'] } },
    })
    for (const name of ['one.txt', 'two.txt', 'three.txt', 'FLOTILLA_TEST_UNSET']) expect(receipt?.evidence).toContain(name)
  })

  test('WS2 the files are looked for anew at each attempt', async () => {
    const plain = memoryFiles(base)
    let there = true
    const files = {
      ...plain,
      real: (path: string) => (path === '/base/here.txt' && !there ? Promise.resolve(undefined) : plain.real(path)),
    }
    const { run, clock, transport } = await started({ input_files: ['here.txt'] }, files)
    there = false
    transport.attempt('a').fail('no')
    await clock.advance(5_000)
    expect(await verdicts(run)).toEqual(['a/1 fail task', 'a/2 fail task'])
    expect((await run.receipt('a'))?.evidence).toContain('here.txt')
  })
})

describe('WS3', () => {
  test('WS3 names that are required must be set, else the attempt fails for good and names them', async () => {
    const { receipt, assign } = await started({ workspace: { environment: { required: ['FLOTILLA_TEST_UNSET', 'PATH'] } } })
    expect(assign).toBeUndefined()
    expect(receipt).toMatchObject({
      result: 'fail',
      failure_kind: 'task',
      evidence: expect.stringContaining('FLOTILLA_TEST_UNSET'),
    })
    expect(receipt?.evidence).not.toContain('PATH')
  })

  test('WS3 a worker gets the values of the names that its task requires or allows, and no others', async () => {
    vi.stubEnv('FLOTILLA_TEST_ONE', '1')
    vi.stubEnv('FLOTILLA_TEST_TWO', '2')
    vi.stubEnv('FLOTILLA_TEST_THREE', '3')
    const environment = { required: ['FLOTILLA_TEST_ONE'], allowlist: ['FLOTILLA_TEST_TWO', 'FLOTILLA_TEST_UNSET'] }
    const { assign } = await started({ workspace: { environment } })
    vi.unstubAllEnvs()
    expect(assign?.environment).toEqual({ FLOTILLA_TEST_ONE: '1', FLOTILLA_TEST_TWO: '2' })
  })

  test('WS3 names that look like secrets are refused in an allowlist, at creation', async () => {
    const { fleet } = await openBench()
    for (const name of ['OPENAI_API_KEY', 'GITHUB_TOKEN', 'DB_PASSWORD', 'AWS_SECRET_ACCESS_KEY']) {
      await expect(
        fleet.create({ name: 'r', tasks: [task('a', { workspace: { environment: { allowlist: [name] } } })] }),
      ).rejects.toMatchObject({
        code: 'unenforceable',
        message: expect.stringContaining(name),
      })
    }
    expect(await fleet.runs()).toEqual([])
    expect(
      (await fleet.create({ name: 'r', tasks: [task('a', { workspace: { environment: { allowlist: ['EDITOR'] } } })] })).created,
    ).toBe(true)
  })
})
