import { chmod, copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { FleetHostSpec } from '../../src/protocol/host.ts'
import { FleetTaskSpec } from '../../src/protocol/task.ts'
import { FleetWorkerSpec } from '../../src/protocol/worker.ts'
import { containerProblems } from '../../src/fleet/container.ts'
import { containerCommands } from '../../src/transports/containers/container-commands.ts'
import { containerLauncher } from '../../src/transports/containers/container-worker.ts'
import { assignment, converse } from '../fixtures/conversation.ts'
import { scratch } from '../fixtures/scratch.ts'
import { hostileWords, possibleArguments } from '../support/hostile-words.ts'

const image = 'registry.example.org/team/image:1'
const named = hostileWords.map((word) => [JSON.stringify(word), word] as const)
const namedArguments = possibleArguments.map((word) => [JSON.stringify(word), word] as const)

let folder: Awaited<ReturnType<typeof scratch>>
let program: string

beforeEach(async () => {
  folder = await scratch({ 'work/.keep': '', 'bin/.keep': '' })
  program = join(folder.path, 'bin', 'client')
  await copyFile(fileURLToPath(new URL('../fixtures/container-client-that-tells.sh', import.meta.url)), program)
  for (const path of [program, folder.path]) await chmod(path, 0o755)
})
afterEach(async () => {
  const left = await readdir(folder.path, { recursive: true })
  expect(left.filter((name) => name.split('/').at(-1) === 'pwned')).toEqual([])
  await folder.remove()
})

const options = () => {
  const host = { runtime: 'docker' as const, program, isRootless: false, environment: {} }
  return { image, clock: systemClock(), probe: () => ({ host }) }
}

/** How a container was started: the options, and what stands behind them. */
async function started(): Promise<{
  readonly words: readonly string[]
  readonly options: readonly string[]
  readonly last: readonly string[]
}> {
  const calls = (await readFile(`${program}.calls`, 'utf8')).split('\0end of call\0').map((call) => call.split('\0'))
  const words = calls.find(([first]) => first === 'run') ?? []
  const end = words.indexOf('--')
  return { words, options: words.slice(0, end), last: words.slice(end + 1) }
}

/** Runs a command in a container of the client that only tells. */
async function run(task: Record<string, unknown>, more: Parameters<typeof assignment>[1] = {}) {
  await rm(`${program}.calls`, { force: true })
  const conversation = await converse(containerCommands({ ...options(), drainLimitMs: 100 }))
  const root = join(folder.path, 'work')
  conversation.channel.send(assignment(task, { root, folder: join(folder.path, 'attempt'), ...more }))
  const end = await conversation.last()
  await conversation.channel.close({ reason: 'test over', graceMs: 0 })
  return end
}

/** The options of a start with nothing hostile in it, without what changes with each. */
async function usual(): Promise<readonly string[]> {
  await run({ metadata: { command: ['true'] } })
  return (await started()).options
}

describe('a word in the place of an image', () => {
  test.each(named)('SE6 is refused, or the image: %s', (_, word) => {
    const spec = FleetWorkerSpec.safeParse({ id: 'w', name: 'W', host: { kind: 'docker', image: word, args: [] } })
    const isTaken = spec.success && containerProblems(spec.data).length === 0
    // Of these words only names are names.
    expect(isTaken).toBe(/^[a-z0-9]+(?:[.-][a-z0-9]+)*(?::[0-9]+)?$/.test(word))
    const fine = FleetWorkerSpec.parse({ id: 'w', name: 'W', host: { kind: 'docker', image, args: [] } })
    expect(containerProblems(fine)).toEqual([])
  })
})

describe('a word in the place of an argument of a worker program', () => {
  test.each(named)('SE6 is refused, or that argument: %s', async (_, word) => {
    const host = FleetHostSpec.parse({ kind: 'docker', image, args: ['serve', word] })
    const problems = containerProblems(FleetWorkerSpec.parse({ id: 'w', name: 'W', host }))
    if (word.includes('\0')) return expect(problems).toMatchObject([{ path: 'host.args' }])
    expect(problems).toEqual([])
    const launcher = containerLauncher({ ...options(), args: ['serve', word] })
    const launch = { workerId: 'w', storeId: 's', incarnation: 'i', slots: 1, leaseTtlMs: 1_000, kept: async () => {} }
    const worker = await launcher.start({ launch, confined: undefined, log: () => {}, signal: new AbortController().signal })
    await new Promise<void>((end) => worker.connection.listen({ line: () => {}, end: () => end() }))
    await worker.stop(0)
    expect((await started()).last).toEqual([image, 'serve', word])
  })
})

describe('a word in a command', () => {
  test.each(namedArguments)('SE6 is that argument: %s', async (_, word) => {
    const expected = await usual()
    const task = FleetTaskSpec.safeParse({ id: 't1', name: 'n', instructions: 'i', metadata: { command: ['printf', word] } })
    if (!task.success) return expect(word).toBe('')
    expect((await run({ metadata: { command: ['printf', word] } })).type).toBe('result')
    const { options: given, last } = await started()
    expect(last).toEqual([image, 'printf', word])
    expect(given).toEqual(expected)
  })

  test.each(namedArguments)('SE6 is the program: %s', async (_, word) => {
    const expected = await usual()
    if (word === '') return
    await run({ metadata: { command: [word, 'x'] } })
    const { options: given, last } = await started()
    expect(last).toEqual([image, word, 'x'])
    expect(given).toEqual(expected)
  })
})

describe('a word in the value of a variable or a secret', () => {
  test.each(namedArguments)('SE6 SE5 stands in no argument: %s', async (_, word) => {
    await run(
      { metadata: { command: ['true'] } },
      { environment: { ALLOWED: `value-${word}` }, secrets: { TOKEN: `secret-${word}` } },
    )
    const { words, options: given } = await started()
    expect(words.filter((one) => one.includes(`value-${word}`) || one.includes(`secret-${word}`))).toEqual([])
    expect(given.slice(given.indexOf('ALLOWED') - 1, given.indexOf('ALLOWED') + 1)).toEqual(['--env', 'ALLOWED'])
    expect(given).not.toContain('TOKEN')
  })
})

describe('a word in the path of a workspace', () => {
  const names = namedArguments.filter(([, word]) => !word.includes('/') && !['', '.', '..'].includes(word))
  test.each(names)('SE6 is refused, or that path: %s', async (_, word) => {
    const root = join(folder.path, word)
    await mkdir(root)
    const end = await run({ metadata: { command: ['true'] } }, { root })
    if (/[:\p{Cc}]/u.test(word)) {
      return expect(end).toMatchObject({ type: 'failed', recoverable: false, reason: expect.stringContaining('colon') as string })
    }
    expect(end.type).toBe('result')
    const { options: given } = await started()
    expect(given.filter((_one, at) => given[at - 1] === '--volume')[0]).toBe(`${root}:${root}:rw`)
    expect(given[given.indexOf('--workdir') + 1]).toBe(root)
  })
})
