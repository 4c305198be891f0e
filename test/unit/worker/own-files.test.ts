import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { afterEach, expect, it } from 'vitest'
import type { AttemptContext } from '../../../src/worker/attempt.ts'
import { until } from '../../fixtures/processes.ts'
import { scratch } from '../../fixtures/scratch.ts'
import { connected } from '../../fixtures/still-worker.ts'

const key = { run_id: 'run', task_id: 'task', attempt: 1 }
const disposals: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const dispose of disposals.splice(0)) await dispose()
})

/** Runs one attempt of a worker that does not see the files of the fleet, until its last frame was taken. */
async function attempt(
  run: (attempt: AttemptContext) => unknown,
  options: {
    readonly task?: Record<string, unknown>
    readonly files?: Readonly<Record<string, readonly string[]>>
    readonly resumes?: boolean
  } = {},
) {
  const parent = await scratch()
  disposals.push(() => parent.remove())
  const { resumes = false, files = {}, task = {} } = options
  const world = await connected({ resumes, folder: parent.path, run: (_, context) => run(context) }, { shares_files: false })
  const { fleet, flow } = world
  let transfer = 0
  for (const [path, pieces] of Object.entries(files)) fleet.stage(key, { path, pieces, transfer: (transfer += 1) })
  fleet.assign(key, task)
  const said = () => fleet.said(key) as Record<string, unknown>[]
  await until(async () => {
    await flow()
    const asked = said().filter(({ type }) => type === 'artifact')
    for (const { report, kind, path } of asked.slice(answered.get(fleet) ?? 0)) {
      fleet.say({ type: 'collected', ...key, report: report as number, artifact: { kind: kind as string, path: path as string } })
    }
    answered.set(fleet, asked.length)
    return ['result', 'failed', 'stopped'].includes(String(said().at(-1)?.['type']))
  }, 'the last frame')
  return { ...world, said, left: () => readdirSync(parent.path).flatMap((name) => readdirSync(`${parent.path}/${name}`)) }
}
const answered = new WeakMap<object, number>()

/** The bytes of a transfer, put together. */
function bytesOf(said: readonly Record<string, unknown>[], transfer: unknown): Buffer {
  const pieces = said.filter((frame) => frame['type'] === 'chunk' && frame['transfer'] === transfer)
  return Buffer.concat(pieces.map(({ bytes }) => Buffer.from(String(bytes), 'base64')))
}

it('WS1 input files are there before the work begins, in the root of the task, which lies in the folder of the attempt', async () => {
  const { said } = await attempt(
    (context) => ({
      text: readFileSync(`${context.root}/src/a.txt`, 'utf8'),
      empty: readFileSync(`${context.root}/empty`, 'utf8'),
      inFolder: context.root.startsWith(`${context.folder}/`) && context.root.endsWith('/root/part/of'),
    }),
    { task: { workspace: { root: 'part/of' } }, files: { 'src/a.txt': ['one ', 'two'], empty: [] } },
  )
  expect(said().at(-1)).toEqual({ type: 'result', output: { text: 'one two', empty: '', inFolder: true } })
})

it('WS1 a root that means something only where the fleet is does not lead out of the folder of the attempt', async () => {
  const { said } = await attempt((context) => context.root === `${context.folder}/root`, {
    task: { workspace: { root: '/etc' } },
  })
  expect(said().at(-1)).toEqual({ type: 'result', output: true })
})

it('SE6 a file whose path leads out of the root is not written, and its attempt is a transport failure', async () => {
  const { said } = await attempt(() => 'never', { files: { '../../escaped': ['x'] } })
  expect(said().at(-1)).toMatchObject({
    type: 'failed',
    failure_kind: 'transport',
    reason: expect.stringContaining('holds `..`'),
  })
})

it('AR1 small artifacts go within their report, large ones in pieces, by path and by content', async () => {
  const large = Buffer.alloc(1_300_000, 'large ')
  const { said } = await attempt(async (context) => {
    await writeFile(`${context.root}/small.txt`, 'small')
    await writeFile(`${context.folder}/large.bin`, large)
    await context.artifact({ kind: 'report', path: 'small.txt', mimeType: 'text/plain' })
    await context.artifact({ kind: 'patch', path: 'large.bin' })
    await context.artifact({ kind: 'note', name: 'note.txt', content: 'said' })
  })
  const [small, patch, note] = said().filter(({ type }) => type === 'artifact')
  expect(small).toMatchObject({ kind: 'report', path: 'small.txt', mime_type: 'text/plain', bytes: 'c21hbGw=' })
  expect(note).toMatchObject({ kind: 'note', path: 'note.txt', bytes: 'c2FpZA==' })
  expect(patch).toMatchObject({ kind: 'patch', path: 'large.bin' })
  expect(said().filter(({ type }) => type === 'chunk')).toHaveLength(3)
  expect(bytesOf(said(), patch?.['transfer']).equals(large)).toBe(true)
})

it('AR3 an artifact that is a link, or leads out, or is not there is refused by the worker, and the attempt goes on', async () => {
  const { said } = await attempt(async (context) => {
    await writeFile(`${context.root}/real.txt`, 'real')
    await symlink('/etc/passwd', `${context.root}/link`)
    const tell = (path: string) =>
      context.artifact({ kind: 'report', path }).then(
        () => 'taken',
        (error: Error) => error.message,
      )
    return [await tell('link'), await tell('../../out'), await tell('nothing'), await tell('real.txt')]
  })
  expect(said().at(-1)?.['output']).toEqual([
    expect.stringContaining('symbolic link'),
    expect.stringContaining('holds `..`'),
    expect.stringContaining('nothing is there'),
    'taken',
  ])
  expect(said().filter(({ type }) => type === 'artifact')).toHaveLength(1)
})

it.each([
  ['a file', 'out/a.txt', { found: 'file' }],
  ['nothing', 'out/b.txt', { found: 'missing' }],
  ['a folder', 'out', { found: 'no_file' }],
  ['a link that leads out', 'out/link', { found: 'refused', reason: expect.stringContaining('leads out') }],
  ['a file over the limit', 'out/huge', { found: 'refused', reason: 'out/huge is larger than 1000000 bytes.' }],
])('VE2 before a result the worker says what its scorer will find: %s', async (_, path, found) => {
  const work = async (context: AttemptContext) => {
    await mkdir(`${context.root}/out`)
    await writeFile(`${context.root}/out/a.txt`, 'evidence')
    await writeFile(`${context.root}/out/huge`, Buffer.alloc(1_000_001))
    await symlink('/etc/passwd', `${context.root}/out/link`)
    return 'done'
  }
  const { said } = await attempt(work, { task: { scorer: { kind: 'regex_match', path, pattern: 'x' } } })
  const [evidence, last] = said().slice(-2)
  expect(evidence).toMatchObject({ type: 'evidence', path, ...found })
  expect(last).toEqual({ type: 'result', output: 'done' })
  if (found.found === 'file') expect(bytesOf(said(), evidence?.['transfer']).toString()).toBe('evidence')
})

it('VE2 a scorer that asks only whether a file exists is told of one of any size, and failures are not scored', async () => {
  const scorer = { kind: 'file_exists', path: 'huge' }
  const work = (context: AttemptContext) => writeFile(`${context.root}/huge`, Buffer.alloc(1_000_001))
  const { said } = await attempt(work, { task: { scorer } })
  expect(said().at(-2)).toEqual({ type: 'evidence', path: 'huge', found: 'file' })
  const failed = await attempt(() => Promise.reject(new Error('no')), { task: { scorer } })
  expect(failed.said().map(({ type }) => type)).toEqual(['accepted', 'failed'])
})

it('WO3 the folder of an attempt goes once its last frame is taken, and all folders with the worker', async () => {
  let folder = ''
  const note = (context: AttemptContext) => {
    folder = context.folder
  }
  const { left, line, runtime } = await attempt(note)
  await until(() => !existsSync(folder), 'the folder of the attempt to go')
  expect(left()).toEqual([])
  line.cut()
  await runtime.done
  expect(() => left()).not.toThrow()
  expect(existsSync(folder.slice(0, folder.lastIndexOf('/')))).toBe(false)
})

it('HO7 the folder stays as long as the last frame is not acknowledged', async () => {
  let folder = ''
  const parent = await scratch()
  disposals.push(() => parent.remove())
  const { fleet, flow, line, again, clock } = await connected(
    { resumes: true, folder: parent.path, run: (_, context) => void (folder = context.folder) },
    { shares_files: false },
  )
  fleet.assign(key)
  line.down()
  await clock.settle()
  line.up()
  expect(fleet.said(key)).toHaveLength(2)
  expect(existsSync(folder)).toBe(true)
  line.cut()
  await clock.settle()
  expect(existsSync(folder)).toBe(true)
  await again()
  await flow()
  await until(() => !existsSync(folder), 'the folder of the attempt to go')
})

it('RU5 an attempt that is stopped before it was assigned ends as stopped, without having been begun', async () => {
  const parent = await scratch()
  disposals.push(() => parent.remove())
  let begun = 0
  const { fleet, flow } = await connected({ folder: parent.path, run: () => (begun += 1) }, { shares_files: false })
  fleet.stage(key, { path: 'a.txt', pieces: ['text'] })
  await flow()
  expect(readdirSync(parent.path, { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('a.txt'))).toBe(true)
  fleet.say({ type: 'stop', ...key, code: 'task_cancelled', reason: 'not wanted', grace_ms: 1 })
  await flow()
  expect(fleet.said(key)).toEqual([{ type: 'stopped' }])
  expect(begun).toBe(0)
  await until(() => readdirSync(parent.path, { recursive: true }).length === 1, 'its files to go')
})
