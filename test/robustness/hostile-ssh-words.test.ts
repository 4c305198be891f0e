import { chmod, copyFile, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FleetHostSpec } from '../../src/protocol/host.ts'
import { FleetTaskSpec } from '../../src/protocol/task.ts'
import { FleetWorkerAuth } from '../../src/protocol/worker.ts'
import { readSshHost, type SshHost } from '../../src/transports/ssh/ssh-host.ts'
import { sshTransport } from '../../src/transports/ssh/ssh.ts'
import { assignment, converse, type Conversation } from '../fixtures/conversation.ts'
import { scratch } from '../fixtures/scratch.ts'
import { sshParts } from '../fixtures/ssh-transport.ts'
import { startSshd, type TestSshd } from '../fixtures/sshd.ts'
import { hostileWords, possibleArguments } from '../support/hostile-words.ts'

let folder: Awaited<ReturnType<typeof scratch>>
let client: string
/** Of this file alone: what carries the marks of another incarnation of its worker is ended. */
const storeId = 'store-hostile-words'
const open: Conversation[] = []

beforeEach(async () => {
  folder = await scratch({ known: 'box ssh-ed25519 AAAA\n', 'work/.keep': '', 'bin/.keep': '' })
  client = join(folder.path, 'bin', 'ssh')
  await copyFile(fileURLToPath(new URL('../fixtures/ssh-that-tells.sh', import.meta.url)), client)
  await chmod(client, 0o755)
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.channel.close({ reason: 'test over', graceMs: 0 })))
  const left = await readdir(folder.path, { recursive: true })
  expect(left.filter((name) => name.split('/').at(-1) === 'pwned')).toEqual([])
  await folder.remove()
})

const spec = () => ({ kind: 'ssh' as const, host: 'box', known_hosts: join(folder.path, 'known') })

/** What a host spec comes to that somebody wrote: a host, or nothing. */
function read(written: object, auth?: object): SshHost | undefined {
  const parsed = FleetHostSpec.safeParse(written)
  const key = auth === undefined ? undefined : FleetWorkerAuth.safeParse(auth)
  if (!parsed.success || parsed.data.kind !== 'ssh' || key?.success === false) return undefined
  const ssh = readSshHost(parsed.data, key?.data.method === 'ssh_key' ? key.data : undefined)
  return 'host' in ssh ? ssh.host : undefined
}

async function connect(host: SshHost): Promise<Conversation> {
  const parts = sshParts(
    { ...spec(), env_allowlist: [] },
    { programs: { ssh: client, 'ssh-keyscan': 'false', 'ssh-keygen': 'false' } },
  )
  const conversation = await converse(sshTransport({ ...parts, host }), { storeId })
  open.push(conversation)
  return conversation
}

/** How the client was called: its arguments, and at the end what its link to the key led to. */
async function calls(): Promise<readonly (readonly string[])[]> {
  const text = await readFile(join(folder.path, 'bin', 'arguments'), 'utf8')
  return text
    .split('\0\n')
    .filter((call) => call !== '')
    .map((call) => call.split('\0'))
}

/** What the client may be called with, whatever was written: nothing else is an option, and the host stands behind `--`. */
function expectNoMoreThan(args: readonly string[], host: SshHost): void {
  const end = args.indexOf('--')
  expect(args.slice(end, end + 2)).toEqual(['--', host.host])
  const options = args.slice(0, end).filter((_, at) => args[at - 1] !== '-o')
  const user = host.user === undefined ? [] : ['-l', host.user]
  const identity = host.identity === undefined ? [] : ['-i', 'identity']
  expect(options.filter((option) => option !== '-o')).toEqual(['-F', 'none', '-T', ...identity, '-p', String(host.port), ...user])
}

const named = hostileWords.map((word) => [JSON.stringify(word), word] as const)

describe('a word in the place of the name of a host', () => {
  test.each(named)('SE6 is refused, or the host: %s', async (_, word) => {
    const host = read({ ...spec(), host: word })
    if (host === undefined) return expect(read({ ...spec(), host: 'box-1.example.org' })).toBeDefined()
    await connect(host)
    for (const call of await calls()) expectNoMoreThan(call, { ...host, host: word })
  })
})

describe('a word in the place of a user', () => {
  test.each(named)('SE6 is refused, or the user: %s', async (_, word) => {
    const host = read(spec(), { method: 'ssh_key', identity: client, user: word })
    if (host === undefined) return expect(read({ ...spec(), user: 'deploy.er-1' })).toBeDefined()
    await connect(host)
    for (const call of await calls()) expectNoMoreThan(call, { ...host, user: word })
  })
})

describe('a word in the path of a key', () => {
  test.each(named)('SE6 is refused, or names that very file: %s', async (_, word) => {
    const path = join(folder.path, 'keys', 'k' + word)
    const host = read(spec(), { method: 'ssh_key', identity: `${folder.path}/keys/k${word}` })
    if (host === undefined) return expect(read({ ...spec(), identity: '/keys/id' })).toBeDefined()
    await mkdir(resolve(path, '..'), { recursive: true })
    await writeFile(path, 'key').catch(() => undefined)
    const connected = await connect(host).catch((error: unknown) => String(error))
    if (typeof connected === 'string') return expect(connected).toContain('cannot be read')
    for (const call of await calls()) {
      expectNoMoreThan(call, host)
      expect(call.at(-1)).toBe(resolve(path))
    }
  })
})

describe('a word in the path of a file of known hosts', () => {
  test.each(named)('SE6 is refused, or names that very file: %s', async (_, word) => {
    const path = join(folder.path, 'known hosts', 'k' + word)
    const host = read({ ...spec(), known_hosts: `${folder.path}/known hosts/k${word}` })
    if (host === undefined) return expect(read({ ...spec(), known_hosts: '/known' })).toBeDefined()
    await mkdir(resolve(path, '..'), { recursive: true })
    await writeFile(path, 'box ssh-ed25519 AAAA').catch(() => undefined)
    const connected = await connect(host).catch((error: unknown) => String(error))
    if (typeof connected === 'string') return expect(connected).toContain('cannot be read')
    for (const call of await calls()) expectNoMoreThan(call, host)
  })
})

describe('a word in the place of a fingerprint', () => {
  test.each(named)('SE6 is refused: %s', (_, word) => {
    expect(read({ ...spec(), host_key_fingerprint: word })).toBeUndefined()
    expect(read({ ...spec(), host_key_fingerprint: `SHA256:${word}` })).toBeUndefined()
    expect(read({ ...spec(), host_key_fingerprint: `SHA256:${'a+/'.repeat(14)}b` })).toBeDefined()
  })
})

describe('a word in the place of the name of a variable', () => {
  test.each(named)('SE6 is refused: %s', (_, word) => {
    expect(read({ ...spec(), env_allowlist: [word] })).toBeUndefined()
    expect(read({ ...spec(), env_allowlist: [`A${word}B`] })?.environment ?? []).toEqual(word === '' ? ['AB'] : [])
    expect(read({ ...spec(), env_allowlist: ['A_1'] })).toBeDefined()
  })
})

describe('a word in the path of a working directory', () => {
  test.each(named)('SE6 is refused, or names that very folder: %s', async (_, word) => {
    const path = `${folder.path}/work/d${word}`
    const host = read({ ...spec(), working_directory: path })
    if (host === undefined) return expect(read({ ...spec(), working_directory: '/srv' })).toBeDefined()
    await mkdir(path, { recursive: true })
    const conversation = await connect(host)
    conversation.channel.send(
      assignment({ metadata: { command: ['pwd', '-P'] } }, { root: folder.path, folder: join(folder.path, 'attempt') }),
    )

    expect(await conversation.last()).toMatchObject({ type: 'result' })
    expect(conversation.log()).toBe(`${await realpath(path)}\n`)
    for (const call of await calls()) expectNoMoreThan(call, host)
  })
})

/** What a command may hold: the contract has no empty words. */
const words = possibleArguments.filter((word) => word !== '')

/** A program that writes its arguments, each with a NUL behind it, into a file. */
const tell = ['sh', '-c', 'for word; do printf "%s\\0" "$word"; done >"$FLOTILLA_ARTIFACTS/words"', 'tell']

async function told(conversation: Conversation, task: object, rest: object = {}): Promise<readonly string[]> {
  const assign = assignment(
    { metadata: { command: [...tell, ...words] }, ...task },
    { root: folder.path, folder: join(folder.path, 'attempt'), ...rest },
  )
  conversation.channel.send(assign)
  await conversation.hear('artifact')
  return (await readFile(join(folder.path, 'attempt/artifacts/words'), 'utf8')).split('\0').slice(0, -1)
}

describe('words of a command', () => {
  test('SE6 arrive as they are, and no argument of the client holds any of them', async () => {
    const host = read(spec())!
    expect(await told(await connect(host), {})).toEqual(words)
    for (const call of await calls()) {
      expectNoMoreThan(call, host)
      expect(call.at(-2)).toMatch(/^exec sh -c /)
      expect(call.join('\0')).not.toContain('pwned')
    }
  })

  test('SE6 a word with a NUL is refused for good', async () => {
    const conversation = await connect(read(spec())!)
    for (const [at, word] of hostileWords.filter((one) => one.includes('\0')).entries()) {
      const assign = assignment({ id: `t${at}` }, { root: folder.path, folder: join(folder.path, 'attempt') })
      // The contract refuses it before; nothing here relies on that.
      conversation.channel.send({ ...assign, task: { ...assign.task, metadata: { command: ['echo', word] } } })
      expect(await conversation.last(`t${at}`)).toMatchObject({
        type: 'failed',
        recoverable: false,
        reason: expect.stringContaining('NUL'),
      })
    }
  })

  test('SE6 programs of their names are looked for, and nothing else is run', async () => {
    const conversation = await connect(read({ ...spec(), working_directory: join(folder.path, 'work') })!)
    for (const [at, word] of words.entries()) {
      const assign = assignment(
        { id: `t${at}`, metadata: { command: [word, 'touch', 'pwned'] } },
        { root: folder.path, folder: join(folder.path, `a${at}`) },
      )
      conversation.channel.send(assign)
      expect(await conversation.last(`t${at}`)).toMatchObject({ type: 'failed' })
    }
    expect(await readdir(join(folder.path, 'work'))).toEqual(['.keep'])
  }, 30_000)

  test('SE6 values of variables and secrets arrive as they are, and stand in no argument', async () => {
    const conversation = await connect(read(spec())!)
    const names = possibleArguments.map((_, at) => `V${at}`)
    const values = Object.fromEntries(possibleArguments.map((word, at) => [`V${at}`, word]))
    const half = Math.floor(names.length / 2)
    const of = (from: number, to?: number) => Object.fromEntries(Object.entries(values).slice(from, to))
    const line = `for name in ${names.join(' ')}; do eval "printf '%s\\\\0' \\"\\$$name\\""; done >"$FLOTILLA_ARTIFACTS/words"`
    const task = { metadata: { command: ['sh', '-c', line] } }

    expect(await told(conversation, task, { environment: of(0, half), secrets: of(half) })).toEqual(possibleArguments)

    for (const call of await calls()) expect(call.join('\0')).not.toContain('pwned')
    expect(await readFile(join(folder.path, 'bin/environment'), 'utf8')).not.toContain('pwned')
  })

  test('SE6 names of variables that no shell can export are refused for good', async () => {
    const conversation = await connect(read(spec())!)
    const assign = (id: string, name: string) =>
      assignment(
        { id, metadata: { command: ['true'] } },
        { root: folder.path, folder: join(folder.path, id), environment: { [name]: 'x' } },
      )
    for (const [at, word] of hostileWords.entries()) conversation.channel.send(assign(`t${at}`, word))
    for (const at of hostileWords.keys()) {
      expect(await conversation.last(`t${at}`)).toMatchObject({ type: 'failed', recoverable: false })
    }
    conversation.channel.send(assign('good', 'GOOD_1'))
    expect(await conversation.last('good')).toMatchObject({ type: 'result' })
  })
})

describe('words in the names of files', () => {
  const names = possibleArguments.filter(
    (word) =>
      word !== '' &&
      !/^\.{1,2}$|\//.test(word) &&
      FleetTaskSpec.safeParse({ id: 't', name: 'T', instructions: 'i', input_files: [word] }).success,
  )

  test('SE6 input files with any name arrive under it, and what is left under any name comes back', async () => {
    expect(names.length).toBeGreaterThan(35)
    const root = join(folder.path, 'root')
    await mkdir(root)
    for (const name of names) await writeFile(join(root, name), `content of ${name}`)
    const conversation = await connect(read(spec())!)
    const task = { input_files: names, metadata: { command: ['sh', '-c', 'cp -- ./* "$FLOTILLA_ARTIFACTS"'] } }
    conversation.channel.send(assignment(task, { root, folder: join(folder.path, 'attempt') }))
    await conversation.hear('artifact')

    const back = join(folder.path, 'attempt/artifacts')
    const brought = await readdir(back)
    expect(new Set(brought)).toEqual(new Set(names.filter((name) => !name.startsWith('.'))))
    for (const name of brought) expect(await readFile(join(back, name), 'utf8')).toBe(`content of ${name}`)
  })

  test('SE6 scorers and roots of those names look at those very files', async () => {
    const conversation = await connect(read({ ...spec(), working_directory: join(folder.path, 'work') })!)
    for (const [at, name] of names.entries()) {
      await mkdir(join(folder.path, 'work', name), { recursive: true })
      const task = {
        id: `t${at}`,
        workspace: { root: name },
        scorer: { kind: 'file_exists', path: name },
        metadata: { command: ['sh', '-c', 'echo here >"./$1"; pwd -P', 'write', name] },
      }
      conversation.channel.send(assignment(task, { root: folder.path, folder: join(folder.path, `a${at}`) }))
      expect(await conversation.last(`t${at}`)).toMatchObject({
        type: 'result',
        evidence_root: join(folder.path, `a${at}`, 'evidence'),
      })
      expect(conversation.log(`t${at}`)).toBe(`${join(folder.path, 'work', name)}\n`)
      expect(await readFile(join(folder.path, `a${at}`, 'evidence', name), 'utf8')).toBe('here\n')
    }
  }, 30_000)
})

describe('through a real sshd', () => {
  let sshd: TestSshd
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd.stop())

  test('SE6 words, variables, names of files and folders arrive as they are', async () => {
    const work = `${folder.path}/work/$(touch pwned); it's "a" %h folder`
    await mkdir(work, { recursive: true })
    const identity = `${folder.path}/-oProxyCommand=touch pwned %d $(touch pwned)`
    await copyFile(sshd.identity, identity)
    await chmod(identity, 0o600)
    const conversation = await converse(sshTransport(sshParts({ ...sshd.spec, identity, working_directory: work })), { storeId })
    open.push(conversation)

    expect(await told(conversation, {}, { environment: { VALUE: "$(touch pwned) '`" } })).toEqual(words)

    expect(await readdir(work)).toEqual([])
  })
})
