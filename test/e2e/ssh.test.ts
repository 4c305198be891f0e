import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ssh } from '../../src/index.ts'
import type { Transport } from '../../src/index.ts'
import type { SshSpec } from '../../src/transports/ssh/ssh-host.ts'
import { sshLauncher } from '../../src/transports/ssh/ssh-launcher.ts'
import { sshTransport, type SshTransportParts } from '../../src/transports/ssh/ssh.ts'
import { poolTransport } from '../../src/transports/programs/worker-pool.ts'
import { attemptKey } from '../../src/protocol/attempt-key.ts'
import { assignment, converse, type Conversation } from '../fixtures/conversation.ts'
import { isRunning, numberAfter, until } from '../fixtures/processes.ts'
import { added, remains, type Remains } from '../fixtures/remains.ts'
import { scratch } from '../fixtures/scratch.ts'
import { sshParts } from '../fixtures/ssh-transport.ts'
import { freePort, startSshd, type TestSshd } from '../fixtures/sshd.ts'
import { workerFolder } from '../support/bundled-package.ts'

/** Of this file alone: what carries the marks of another incarnation of its worker is ended. */
const storeId = 'store-ssh'
let sshd: TestSshd
let folder: Awaited<ReturnType<typeof scratch>>
let before: Remains
let temporary: string | undefined
const open: Conversation[] = []

beforeAll(async () => {
  sshd = await startSshd()
  temporary = process.env['TMPDIR']
  process.env['TMPDIR'] = sshd.folder
})
afterAll(async () => {
  if (temporary === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = temporary
  await sshd.stop()
})

beforeEach(async () => {
  folder = await scratch({ 'in/a.txt': 'A', 'in/run.sh': '#!/bin/sh\necho ran\n' })
  before = remains(sshd.folder)
})

/** Nothing stays, on neither side. */
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.channel.close({ reason: 'test over', graceMs: 0 })))
  await until(() => Object.keys(added(before, remains(sshd.folder))).length === 0, 'nothing to be left').catch(() =>
    expect(added(before, remains(sshd.folder))).toEqual({}),
  )
  await folder.remove()
})

async function talk(transport: Transport): Promise<Conversation> {
  const conversation = await converse(transport, { storeId })
  open.push(conversation)
  return conversation
}

const commands = (more: Partial<SshSpec> = {}, parts: Partial<SshTransportParts> = {}) =>
  sshTransport(sshParts({ ...sshd.spec, ...more }, parts))

function command(line: string, task: object = {}, rest: object = {}) {
  const { id = 't1' } = task as { readonly id?: string }
  return assignment(
    { metadata: { command: ['sh', '-c', line] }, ...task },
    { root: folder.path, folder: join(folder.path, id), ...rest },
  )
}

/** The reason for which nobody comes up. */
async function refusal(transport: Transport): Promise<string> {
  return talk(transport).then(
    () => 'it came up',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}

describe('who the host is', () => {
  test('HO5 a host with the pinned key is taken, by its fingerprint, by a file, and by both', async () => {
    const { fingerprint: host_key_fingerprint, knownHosts: known_hosts } = sshd
    const { host_key_fingerprint: _, ...unpinned } = sshd.spec
    for (const pin of [{ host_key_fingerprint }, { known_hosts }, { host_key_fingerprint, known_hosts }]) {
      const conversation = await talk(sshTransport(sshParts({ ...unpinned, ...pin })))
      expect((await conversation.hear('hello')).worker_id).toBe('w1')
    }
  })

  test('HO5 a host with another key is refused before anything is sent', async () => {
    const { host_key_fingerprint: _, ...unpinned } = sshd.spec
    const logged = sshd.log().length
    const { wrongFingerprint: host_key_fingerprint, wrongKnownHosts: known_hosts, fingerprint } = sshd

    expect(await refusal(sshTransport(sshParts({ ...unpinned, host_key_fingerprint })))).toMatch(
      /is not the pinned one .*it has ssh-ed25519 SHA256:/,
    )
    expect(await refusal(sshTransport(sshParts({ ...unpinned, known_hosts })))).toContain('Host key verification failed')
    expect(await refusal(sshTransport(sshParts({ ...unpinned, host_key_fingerprint: fingerprint, known_hosts })))).toContain(
      'does not stand in',
    )

    await until(() => sshd.log().slice(logged).includes('preauth'))
    expect(sshd.log().slice(logged)).not.toMatch(/Accepted|Failed|user root|Starting session/i)
    // The same log tells of a host that is taken.
    await talk(commands())
    expect(sshd.log().slice(logged)).toMatch(/Accepted publickey/)
  })

  test('SE7 a key that the host does not know lets nobody in', async () => {
    expect(await refusal(commands({ identity: sshd.wrongIdentity }))).toContain('Permission denied (publickey')
    expect(await refusal(commands({ identity: join(folder.path, 'no-such-key') }))).toContain('identity: ')
  })

  test('WO2 a host that is down is told', async () => {
    const port = await freePort()
    expect(await refusal(commands({ port }))).toContain('cannot be reached')
    const { host_key_fingerprint: _, ...unpinned } = sshd.spec
    expect(await refusal(sshTransport(sshParts({ ...unpinned, port, known_hosts: sshd.knownHosts })))).toContain(
      'Connection refused',
    )
  })

  test('WO2 a host that takes connections and never says a word is given up', async () => {
    const sockets: Socket[] = []
    const silent: Server = createServer((socket) => void sockets.push(socket.on('error', () => {})))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const { host_key_fingerprint: _, ...unpinned } = sshd.spec
    const limits = { connectSeconds: 1, aliveSeconds: 1, aliveCount: 1, startLimitMs: 2_000 }
    try {
      expect(await refusal(sshTransport(sshParts({ ...sshd.spec, port }, { limits })))).toContain('did not show a host key')
      expect(await refusal(sshTransport(sshParts({ ...unpinned, port, known_hosts: sshd.knownHosts }, { limits })))).toMatch(
        /timed out|timeout|nothing was heard/i,
      )
    } finally {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => silent.close(resolve))
    }
  }, 20_000)

  test('WO2 a host that lets in and then hangs is given up', async () => {
    const hanging = await startSshd({ lines: ['ForceCommand sleep 30'] })
    try {
      const limits = { connectSeconds: 5, aliveSeconds: 1, aliveCount: 3, startLimitMs: 500 }
      expect(await refusal(sshTransport(sshParts(hanging.spec, { limits })))).toContain('nothing was heard of it for 0.5 s')
    } finally {
      await hanging.stop()
    }
  }, 20_000)
})

describe('a command at a host', () => {
  test('HO5 gets its input files, and its artifacts, output and end come back', async () => {
    const conversation = await talk(commands())
    const assign = command(
      'cat in/a.txt; ./in/run.sh; cp "$FLOTILLA_INPUT" "$FLOTILLA_ARTIFACTS/input.json"; echo "{\\"n\\":1}" >"$FLOTILLA_FOLDER/output.json"; echo noise >&2; echo done',
      { input_files: ['in/**'], input: { asked: true } },
    )
    await import('node:fs/promises').then(({ chmod }) => chmod(join(folder.path, 'in/run.sh'), 0o755))
    conversation.channel.send(assign)
    const { report, path } = await conversation.hear('artifact')
    expect(path).toBe('artifacts/input.json')
    conversation.channel.send({ ...attemptKey(assign), type: 'collected', report, artifact: { kind: 'input', path } })

    expect(await conversation.last()).toMatchObject({ type: 'result', exit_code: 0, output: { n: 1 } })
    expect(conversation.log()).toContain('Aran\n')
    expect(conversation.log()).toContain('noise\n')
    expect(JSON.parse(await readFile(join(folder.path, 't1/artifacts/input.json'), 'utf8'))).toMatchObject({
      input: { asked: true },
    })
  })

  test('RE7 its exit code, and the signal that ended it, are told', async () => {
    const conversation = await talk(commands())
    conversation.channel.send(command('echo because; exit 255', { id: 'code' }))
    conversation.channel.send(command('kill -s KILL $$', { id: 'signal' }))
    expect(await conversation.last('code')).toMatchObject({
      type: 'failed',
      failure_kind: 'task',
      exit_code: 255,
      reason: 'exit code 255\nbecause',
    })
    expect(await conversation.last('signal')).toMatchObject({
      type: 'failed',
      failure_kind: 'transport',
      reason: 'killed by SIGKILL',
    })
  })

  test('RE3 one that does not exist is final', async () => {
    const conversation = await talk(commands())
    conversation.channel.send(command('', { metadata: { command: ['no-such-program'] } }))
    expect(await conversation.last()).toMatchObject({
      type: 'failed',
      recoverable: false,
      reason: 'cannot run no-such-program: the host has no such program',
    })
  })

  test('HO3 is asked to end, and killed with all that it started when it does not', async () => {
    const conversation = await talk(commands())
    const heeds = command('trap "echo heeded; exit 0" TERM; echo ready; while :; do sleep 0.05; done', { id: 'heeds' })
    const ignores = command(
      'trap "" TERM; sleep 1000 & echo inner $!; setsid sleep 1000 & echo outer $!; echo leader $$; sleep 1000; sleep 1000',
      { id: 'ignores' },
    )
    for (const assign of [heeds, ignores]) conversation.channel.send(assign)
    await until(() => /ready/.test(conversation.log()) && /leader \d+/.test(conversation.log()))
    const pids = ['inner', 'outer', 'leader'].map((word) => numberAfter(word, conversation.log()))
    expect(pids.map(isRunning)).toEqual([true, true, true])

    conversation.stop(heeds, { graceMs: 60_000 })
    conversation.stop(ignores, { graceMs: 100 })

    expect((await conversation.last('heeds')).type).toBe('stopped')
    expect((await conversation.last('ignores')).type).toBe('stopped')
    expect(conversation.log()).toContain('heeded')
    expect(pids.map(isRunning)).toEqual([false, false, false])
  })

  test('BU2 is asked by TERM to hand back what it has', async () => {
    const conversation = await talk(commands())
    const assign = command('trap "echo enough; exit 0" TERM; echo ready; while :; do sleep 0.05; done')
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))
    conversation.channel.send({ type: 'hand_back', ...attemptKey(assign), reason: 'the budget is spent', grace_ms: 60_000 })
    expect(await conversation.last()).toMatchObject({ type: 'result', exit_code: 0, summary: 'enough' })
  })

  test('HO3 leaves no grandchild, in its group or out of it', async () => {
    const conversation = await talk(commands())
    conversation.channel.send(command('sleep 1000 & echo inner $!; setsid sleep 1000 & echo outer $!; sleep 0.2'))
    expect(await conversation.last()).toMatchObject({ type: 'result' })
    for (const word of ['inner', 'outer']) expect(isRunning(numberAfter(word, conversation.log()))).toBe(false)
  })

  test('HO4 a flood of output is bounded, and does not hold it up', async () => {
    const conversation = await talk(commands({}, { bounds: { unreadLimit: 100_000, drainLimitMs: 300 } }))
    conversation.channel.send(command('head -c 50000000 /dev/zero | tr "\\\\0" x; echo; echo over'))
    expect(await conversation.last()).toMatchObject({ type: 'result', summary: 'over' })
    expect(conversation.log()).toContain('bytes left out')
    expect(conversation.log().length).toBeLessThan(3_000_000)
  }, 30_000)

  test('AR4 artifacts that are too much together are left out, and the attempt goes on', async () => {
    const conversation = await talk(commands())
    conversation.channel.send(
      command('head -c 300000000 /dev/zero >"$FLOTILLA_ARTIFACTS/zeros"; echo "7" >"$FLOTILLA_FOLDER/output.json"'),
    )
    expect(await conversation.last()).toMatchObject({ type: 'result', output: 7 })
    expect(conversation.log()).toContain('[artifacts left out: together they are larger than')
  }, 30_000)

  test('AR3 links that it leaves are left out, and the attempt goes on', async () => {
    const conversation = await talk(commands())
    conversation.channel.send(command('ln -s /etc/passwd "$FLOTILLA_ARTIFACTS/link"; mkfifo "$FLOTILLA_ARTIFACTS/fifo"'))
    expect(await conversation.last()).toMatchObject({ type: 'result' })
    expect(conversation.log()).toContain('[artifacts/link left out: it is a link]')
    expect(conversation.log()).toContain('[artifacts/fifo left out: it is no regular file]')
  })

  test('SE5 gets its secrets, and nothing at the host shows them but its own environment', async () => {
    const conversation = await talk(commands())
    const look =
      'echo "has $KEY" | tr a-z A-Z; grep -lsaF "$KEY" /proc/[0-9]*/cmdline | wc -l; find "$FLOTILLA_FOLDER" -type f -exec grep -l "$KEY" {} + | wc -l'
    conversation.channel.send(command(look, {}, { secrets: { KEY: 'quite-secret-value' } }))
    expect(await conversation.last()).toMatchObject({ type: 'result' })
    // Not even the programs that look have it as an argument: those two are the two greps themselves.
    expect(
      conversation
        .log()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(['HAS QUITE-SECRET-VALUE', '1', '0', ''])
  })

  test('WS3 gets the variables that its host allows', async () => {
    process.env['FLOTILLA_TEST_REGION'] = "north 'sea'"
    try {
      const conversation = await talk(commands({ env_allowlist: ['FLOTILLA_TEST_REGION', 'FLOTILLA_TEST_UNSET'] }))
      conversation.channel.send(command('echo "$FLOTILLA_TEST_REGION ${FLOTILLA_TEST_UNSET-unset} ${SSH_CONNECTION-none}"'))
      expect(await conversation.last()).toMatchObject({ summary: "north 'sea' unset none" })
    } finally {
      delete process.env['FLOTILLA_TEST_REGION']
    }
  })

  test('SE2 one that must be confined is not run', async () => {
    const conversation = await talk(commands())
    conversation.channel.send(command('touch ran', {}, { confined: { network: false, writable_paths: [] } }))
    expect(await conversation.last()).toMatchObject({
      type: 'failed',
      recoverable: false,
      reason: expect.stringContaining('nothing confines'),
    })
  })
})

describe('what one connection cannot carry', () => {
  test('SC1 more commands at once than the host lets over one connection go over others', async () => {
    const narrow = await startSshd({ lines: ['MaxSessions 2'] })
    try {
      const conversation = await talk(sshTransport(sshParts(narrow.spec)))
      const ids = ['a', 'b', 'c', 'd']
      const line = 'echo "$FLOTILLA_TASK is here"; while ! [ -e "$1" ]; do sleep 0.05; done'
      for (const id of ids)
        conversation.channel.send(command('', { id, metadata: { command: ['sh', '-c', line, 'wait', join(folder.path, 'go')] } }))
      await until(() => ids.every((id) => conversation.log().includes(`${id} is here`)))
      await writeFile(join(folder.path, 'go'), '')
      for (const id of ids) expect(await conversation.last(id)).toMatchObject({ type: 'result' })
      await conversation.channel.close({ reason: 'test over', graceMs: 0 })
    } finally {
      await narrow.stop()
    }
  }, 20_000)

  test('WS2 input files of many megabytes arrive whole, and a stop on their way starts nothing', async () => {
    const bytes = Buffer.alloc(20_000_000, 'y')
    await writeFile(join(folder.path, 'in/big'), bytes)
    const conversation = await talk(commands())
    conversation.channel.send(command('wc -c <in/big', { id: 'whole', input_files: ['in/big'] }))
    const stopped = command(`touch ${folder.path}/started; sleep 1000`, { id: 'stopped', input_files: ['in/big'] })
    conversation.channel.send(stopped)
    conversation.stop(stopped, { graceMs: 0 })

    expect((await conversation.last('stopped')).type).toBe('stopped')
    expect(await conversation.last('whole')).toMatchObject({ type: 'result', summary: '20000000' })
    expect(await readdir(folder.path)).not.toContain('started')
  }, 30_000)

  test('WO2 a machine without the client says so', async () => {
    const missing = { ssh: 'no-such-ssh', 'ssh-keyscan': 'ssh-keyscan', 'ssh-keygen': 'ssh-keygen' }
    expect(await refusal(commands({}, { programs: missing }))).toContain('no-such-ssh')
    expect(await refusal(commands({}, { programs: { ...missing, 'ssh-keyscan': 'no-such-scan' } }))).toContain(
      'there is no program no-such-scan',
    )
  })
})

describe('a connection that is lost', () => {
  /** A command that goes on, and its process. */
  async function running(conversation: Conversation): Promise<number> {
    conversation.channel.send(command('trap "" TERM; echo pid $$; while :; do sleep 0.2; done'))
    await until(() => /pid \d+/.test(conversation.log()))
    return numberAfter('pid', conversation.log())
  }

  test('WO1 cut in the middle ends the channel unasked, and what ran ends at the host', async () => {
    const conversation = await talk(commands({}, { bounds: { termToKillMs: 1_000 } }))
    const pid = await running(conversation)
    expect(isRunning(pid)).toBe(true)

    for (const session of sshd.sessions()) process.kill(session, 'SIGKILL')

    expect(await conversation.channel.closed).toMatchObject({ asked: false, reason: expect.stringContaining('was lost') })
    await until(() => !isRunning(pid))
  })

  test('HO5 that says nothing any more is given up, and its worker comes up again and ends what it ran', async () => {
    const transport = commands()
    const conversation = await talk(transport)
    const pid = await running(conversation)

    sshd.freeze(true)
    try {
      expect(await conversation.channel.closed).toMatchObject({ asked: false })
    } finally {
      sshd.freeze(false)
    }

    const again = await converse(transport, { storeId, incarnation: 'second' })
    open.push(again)
    await until(() => !isRunning(pid))
    again.channel.send(command('echo again', { id: 't2' }))
    expect(await again.last('t2')).toMatchObject({ type: 'result', summary: 'again' })
  }, 20_000)

  test('HO5 to a host whose sshd is killed ends what runs there', async () => {
    const other = await startSshd()
    const conversation = await talk(sshTransport(sshParts(other.spec, { bounds: { termToKillMs: 1_000 } })))
    const pid = await running(conversation)

    await other.stop()

    expect(await conversation.channel.closed).toMatchObject({ asked: false })
    await until(() => !isRunning(pid))
  }, 20_000)

  test('LE6 whose fleet is gone ends what runs at the host', async () => {
    const conversation = await talk(commands({}, { bounds: { termToKillMs: 1_000 } }))
    const pid = await running(conversation)
    const clients = remains(sshd.folder)
      .processes.filter((line) => line.includes('UserKnownHostsFile'))
      .map((line) => Number(line.split(' ')[0]))
    expect(clients.length).toBeGreaterThan(0)

    for (const client of clients) process.kill(client, 'SIGKILL')

    await until(() => !isRunning(pid))
  })
})

describe('worker programs at a host', () => {
  let installed: Awaited<ReturnType<typeof workerFolder>>
  beforeAll(async () => {
    installed = await workerFolder()
  }, 60_000)
  afterAll(() => installed[Symbol.asyncDispose]())

  const steady = () => {
    const { port, identity, fingerprint: hostKeyFingerprint } = sshd
    const handlers = ['completes', 'goes on', 'tells', 'reports']
    return ssh({
      host: '127.0.0.1',
      port,
      identity,
      hostKeyFingerprint,
      command: [process.execPath, installed.program('steady.mjs')],
      handlers,
    })
  }
  const evil = (way: string) => {
    const parts = sshParts({ ...sshd.spec, command: [process.execPath, installed.program('evil.mjs'), way] })
    return poolTransport({
      ...parts,
      launcher: sshLauncher(parts),
      plain: true,
      startTimeoutMs: way === 'never says hello' ? 2_000 : 20_000,
    })
  }
  const work = (task: Parameters<typeof assignment>[0]) =>
    assignment(task, { root: folder.path, folder: join(folder.path, 't1') })

  test('HO5 do their work, and see none of the files of the fleet', async () => {
    const conversation = await talk(steady())
    const assign = { ...work({ handler: 'reports' }), secrets: { KEY: 'quite-secret-value' } }
    conversation.channel.send(assign)
    const { report, bytes, path } = await conversation.hear('artifact')
    expect(Buffer.from(bytes ?? []).toString()).toBe('bytes')
    conversation.channel.send({ ...attemptKey(assign), type: 'collected', report, artifact: { kind: 'report', path } })
    expect(await conversation.last()).toMatchObject({ type: 'result', output: { secret: 'quite-secret-value' } })
    expect(conversation.log()).toContain('printed')
  })

  test('WS3 have the essentials, who they are, and nothing else of the fleet', async () => {
    process.env['FLOTILLA_TEST_SECRET_PLACE'] = 'here'
    const conversation = await talk(steady())
    delete process.env['FLOTILLA_TEST_SECRET_PLACE']
    conversation.channel.send(work({ handler: 'tells' }))
    const last = await conversation.last()
    expect(last).toMatchObject({ type: 'result' })
    const { environment } = (last.type === 'result' ? last.output : {}) as { environment: Record<string, string> }
    expect(environment).toMatchObject({ FLOTILLA_STORE: storeId, FLOTILLA_WORKER: 'w1', FLOTILLA_INCARNATION: 'first' })
    expect(Object.keys(environment)).not.toContain('FLOTILLA_TEST_SECRET_PLACE')
    expect(Object.keys(environment)).not.toContain('SSH_CONNECTION')
  })

  test.each([
    ['never says hello', /hello/],
    ['dies at its start', /code 3/],
    ['speaks another version', /protocol/],
  ])(
    'WO2 one that %s does not come up, and nothing of it stays',
    async (way, reason) => {
      expect(await refusal(evil(way))).toMatch(reason)
    },
    20_000,
  )

  test('WO2 one whose host is down is told at once, since nothing was started', async () => {
    const { host_key_fingerprint: _, ...unpinned } = sshd.spec
    const spec = { ...unpinned, port: await freePort(), known_hosts: sshd.knownHosts, command: ['worker'] }
    const parts = sshParts(spec)
    const began = performance.now()
    expect(await refusal(poolTransport({ ...parts, launcher: sshLauncher(parts), plain: true }))).toContain('Connection refused')
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  test('WO3 one whose host is gone is given up when its lease would be over', async () => {
    const other = await startSshd()
    const parts = sshParts({ ...other.spec, command: [process.execPath, installed.program('evil.mjs'), 'hangs'] })
    const launch = {
      workerId: 'w1',
      storeId,
      incarnation: 'first',
      slots: 1,
      leaseTtlMs: 1_000,
      kept: () => Promise.resolve(),
    }
    let printed = ''
    const log = (text: string) => (printed += text)
    const order = { launch, confined: undefined, log, signal: new AbortController().signal }
    const started = await sshLauncher(parts).start(order)
    const hello = new Promise<void>((resolve) => started.connection.listen({ line: () => resolve(), end: () => {} }))
    await hello
    const [line = ''] = remains(other.folder).processes.filter((one) => one.includes('evil.mjs'))
    const pid = Number(line.split(' ')[0])
    expect(isRunning(pid)).toBe(true)

    await other.stop()
    await started.stop(0)

    expect(printed).not.toContain('started')
    // What could not be swept ended by itself, since its input did.
    await until(() => !isRunning(pid))
  }, 30_000)

  test('WO2 one that does not exist is told', async () => {
    const parts = sshParts({ ...sshd.spec, command: ['no-such-worker'] })
    const transport = poolTransport({ ...parts, launcher: sshLauncher(parts), plain: true })
    expect(await refusal(transport)).toContain('there is no such worker program')
  })

  test.each(['dies in the middle', 'writes half a line and dies', 'says what is no JSON'])(
    'RE7 one that %s costs its attempt',
    async (way) => {
      const conversation = await talk(evil(way))
      conversation.channel.send(work({}))
      expect(await conversation.last()).toMatchObject({ type: 'failed', failure_kind: 'transport' })
    },
    20_000,
  )

  test.each(['hangs', 'hangs and ignores TERM'])(
    'HO3 one that %s is ended',
    async (way) => {
      const conversation = await talk(evil(way))
      const assign = work({})
      conversation.channel.send(assign)
      await conversation.hear('accepted')
      conversation.stop(assign, { graceMs: 100 })
      expect((await conversation.last()).type).toBe('stopped')
    },
    20_000,
  )

  test('HO3 one that leaves grandchildren behind leaves none when it ends', async () => {
    const conversation = await talk(evil('leaves grandchildren behind'))
    conversation.channel.send(work({}))
    expect(await conversation.last()).toMatchObject({ type: 'result' })
    expect(remains(sshd.folder).processes.some((line) => line.includes('sleep 987'))).toBe(true)
  }, 20_000)

  test('RE7 one whose connection is cut costs its attempt, and ends at the host', async () => {
    const conversation = await talk(steady())
    conversation.channel.send(work({ handler: 'tells' }))
    const told = await conversation.last()
    const { pid } = (told.type === 'result' ? told.output : {}) as { pid: number }
    conversation.channel.send(work({ id: 't2', handler: 'goes on' }))
    await conversation.hear('accepted', 't2')
    expect(isRunning(pid)).toBe(true)

    for (const session of sshd.sessions()) process.kill(session, 'SIGKILL')

    expect(await conversation.last('t2')).toMatchObject({ type: 'failed', failure_kind: 'transport' })
    expect(isRunning(pid)).toBe(false)
  }, 20_000)
})
