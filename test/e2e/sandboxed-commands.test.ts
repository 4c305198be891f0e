import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, openSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { systemEnvironment } from '../../src/host/environment.ts'
import { createFleet, jsonStore } from '../../src/index.ts'
import type { Confinement } from '../../src/protocol/wire.ts'
import { commandTransport } from '../../src/transports/commands/command.ts'
import type { CommandTransportOptions } from '../../src/transports/commands/command.ts'
import { killCarriers } from '../../src/transports/orphans.ts'
import { probeSandbox } from '../../src/transports/commands/sandbox-probe.ts'
import { assignment, converse } from '../fixtures/conversation.ts'
import type { Conversation } from '../fixtures/conversation.ts'
import { isRunning, until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'

const probe = probeSandbox()
const lacking = 'missing' in probe ? `no sandbox here: ${probe.missing}` : undefined
const nothing: Confinement = { network: false, writable_paths: [] }

async function bench(options: Partial<CommandTransportOptions> = {}) {
  const folder = await scratch({ 'read.txt': 'read' })
  onTestFinished(() => folder.remove())
  const root = folder.path
  const conversation = await converse(
    commandTransport({
      clock: systemClock(),
      environment: systemEnvironment(),
      drainLimitMs: 300,
      probe: () => probe,
      ...options,
    }),
    { storeId: `sandboxed-${process.pid}` },
  )
  onTestFinished(() => conversation.channel.close({ reason: 'test over', graceMs: 0 }))
  let number = 0
  const begin = (argv: readonly string[], confined: Confinement = nothing, where = root) => {
    const id = `t${(number += 1)}`
    const assign = assignment({ id, metadata: { command: argv } }, { root: where, folder: join(root, 'attempts', id), confined })
    conversation.channel.send(assign)
    return assign
  }
  const run = (script: string, confined?: Confinement) => conversation.last(begin(['sh', '-c', script], confined).task_id)
  return { root, conversation, begin, run }
}

/** Answers every artifact report, so that the attempt ends; gives what was reported. */
function collectAll({ channel, heard }: Conversation): string[] {
  const paths: string[] = []
  let at = 0
  const timer = setInterval(() => {
    for (; at < heard.length; at += 1) {
      const message = heard[at]!
      if (message.type !== 'artifact') continue
      const { run_id, task_id, attempt, report, kind, path } = message
      paths.push(path)
      channel.send({ type: 'collected', run_id, task_id, attempt, report, artifact: { kind, path } })
    }
  }, 5)
  onTestFinished(() => clearInterval(timer))
  return paths
}

describe.skipIf(lacking !== undefined)(lacking ?? 'a command in a sandbox', () => {
  test('RE7 its exit code is its own; a program that is not there is final; a sandbox that cannot be built is no fault of the task', async () => {
    const { begin, run, conversation } = await bench()
    expect(await run('exit 0')).toMatchObject({ type: 'result', exit_code: 0 })
    expect(await run('exit 3')).toMatchObject({ type: 'failed', failure_kind: 'task', exit_code: 3 })
    expect(await conversation.last(begin(['no-such-program']).task_id)).toMatchObject({
      failure_kind: 'task',
      recoverable: false,
      reason: expect.stringContaining('no such program') as string,
    })
    const host = 'host' in probe ? probe.host : undefined
    const broken = await bench({ probe: () => ({ host: { ...host!, settings: ['/nowhere/at/all'] } }) })
    expect(await broken.run('exit 0')).toMatchObject({
      type: 'failed',
      failure_kind: 'transport',
      reason: expect.stringContaining('/nowhere/at/all') as string,
    })
  })

  test('SE2 what must be confined is not run where nothing can confine it', async () => {
    const { begin, conversation, root } = await bench({ probe: () => ({ missing: 'bubblewrap is not installed' }) })
    const script = ['sh', '-c', `touch ${root}/ran`]
    expect(await conversation.last(begin(script).task_id)).toMatchObject({ type: 'failed', recoverable: false })
    expect(existsSync(join(root, 'ran'))).toBe(false)
    const transport = (missing: boolean) =>
      commandTransport({
        clock: systemClock(),
        environment: systemEnvironment(),
        probe: () => (missing ? { missing: 'bubblewrap is not installed' } : probe),
      }).enforces
    expect(transport(true)).toEqual({
      network: false,
      fileWrites: false,
      environment: false,
      processes: false,
      because: 'bubblewrap is not installed',
    })
    expect(transport(false)).toEqual({ network: true, fileWrites: true, environment: true, processes: true })
  })

  test('HO3 it is asked to end before it is killed', async () => {
    const { begin, conversation } = await bench()
    const assign = begin(['sh', '-c', 'trap "echo heeded; exit 0" TERM; echo ready; while :; do sleep 0.01; done'])
    await until(() => conversation.log().includes('ready'))
    conversation.stop(assign)
    expect((await conversation.last()).type).toBe('stopped')
    expect(conversation.log()).toContain('heeded')
  })

  test('HO3 what ignores TERM, and what leaves its group and session, dies with the sandbox', async () => {
    const { begin, conversation } = await bench({ termToKillMs: 200 })
    const mark = 3_000_000 + process.pid
    const assign = begin([
      'sh',
      '-c',
      `trap "" TERM; setsid sh -c 'trap "" TERM; sleep ${mark}' & sleep ${mark + 1} & echo ready; wait`,
    ])
    await until(() => conversation.log().includes('ready'))
    await until(() => sleepers(mark).length === 1 && sleepers(mark + 1).length === 1, 'both to run')
    const { group } = (await conversation.hear('accepted')).process!
    conversation.stop(assign)
    expect((await conversation.last()).type).toBe('stopped')
    expect([...sleepers(mark), ...sleepers(mark + 1)]).toEqual([])
    expect(isRunning(group)).toBe(false)
  })

  test('HO3 what a command leaves running in the background ends with it', async () => {
    const { run } = await bench()
    const mark = 4_000_000 + process.pid
    expect(await run(`setsid sleep ${mark} & sleep 0.05; exit 0`)).toMatchObject({ type: 'result' })
    expect(sleepers(mark)).toEqual([])
  })

  test('LE6 when its fleet is killed with kill -9 it dies at once, with all in it; outside a sandbox it goes on until it is reaped', async () => {
    const { path: root, remove } = await scratch()
    onTestFinished(remove)
    const storeId = `killed-${process.pid}`
    const survivors: Record<string, number> = {}
    for (const [index, where] of ['outside', 'inside'].entries()) {
      const mark = 5_000_000 + 10 * process.pid + index
      const driver = drive(root, `setsid sleep ${mark}`, storeId, where)
      await until(() => sleepers(mark).length === 1, 'the sleeper')
      const gone = once(driver, 'exit')
      driver.kill('SIGKILL')
      await gone
      if (where === 'inside') await until(() => sleepers(mark).length === 0, 'the end of all in the sandbox')
      survivors[where] = sleepers(mark).length
    }
    expect(survivors).toEqual({ outside: 1, inside: 0 })
    await killCarriers({ entries: [`FLOTILLA_STORE=${storeId}`], clock: systemClock() })
    expect(sleepers(5_000_000 + 10 * process.pid)).toEqual([])
  })

  test('LE6 a sandbox carries its lease, so that recovery finds and kills it', async () => {
    const { begin, conversation } = await bench()
    const mark = 6_000_000 + process.pid
    const assign = begin(['sleep', String(mark)])
    await until(() => sleepers(mark).length === 1, 'the sleeper')
    await killCarriers({
      entries: [`FLOTILLA_STORE=sandboxed-${process.pid}`, `FLOTILLA_TASK=${assign.task_id}`],
      clock: systemClock(),
    })
    expect((await conversation.last()).type).toBe('failed')
    expect(sleepers(mark)).toEqual([])
  })

  test('HO6 a descriptor that the fleet inherited is not handed on', async () => {
    const { path: root, remove } = await scratch({ secret: 'planted' })
    onTestFinished(remove)
    const descriptors: ('ignore' | 'pipe' | 'inherit' | number)[] = Array.from({ length: 41 }, () => 'ignore')
    descriptors[1] = 'pipe'
    descriptors[2] = 'inherit'
    descriptors[40] = openSync(join(root, 'secret'), 'r')
    const lines = await linesOf(drive(root, 'cat /proc/self/fd/40', 'store', 'both', descriptors))
    const texts = lines.flatMap((line) => ('text' in line ? [[line['where'], line['text']]] : []))
    expect(texts).toEqual([
      ['outside', expect.stringContaining('planted')],
      ['inside', ''],
    ])
  })

  test.each([
    ['fifo', (path: string) => void spawnSync('mkfifo', [path])],
    [
      'socket',
      (path: string) =>
        void spawnSync('/usr/bin/python3', ['-c', 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', path]),
    ],
  ])('HO6 a %s in the workspace refuses the start; without it the same command runs', async (_, make) => {
    const { root, run } = await bench()
    await mkdir(join(root, 'deep', 'er'), { recursive: true })
    expect(await run('true')).toMatchObject({ type: 'result' })
    make(join(root, 'deep', 'er', 'way-out'))
    expect(await run(`touch ${root}/ran`)).toMatchObject({
      type: 'failed',
      failure_kind: 'task',
      recoverable: false,
      reason: expect.stringContaining('deep/er/way-out') as string,
    })
  })

  test('HO6 a workspace that holds what the sandbox has of its own cannot be shown', async () => {
    const { begin, conversation } = await bench()
    expect(await conversation.last(begin(['true'], nothing, '/').task_id)).toMatchObject({
      recoverable: false,
      reason: expect.stringContaining('/usr') as string,
    })
  })

  test('SE4 the network, once granted, is the host’s; a unix socket is not', async () => {
    const { run } = await bench()
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const dial = `/usr/bin/python3 -c 'import socket; assert socket.create_connection(("127.0.0.1", ${port})).recv(5) == b"hello"'`
    expect(await run(dial)).toMatchObject({ type: 'failed' })
    expect(await run(dial, { network: true, writable_paths: [] })).toMatchObject({ type: 'result' })
    const unix = `/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX)'`
    expect(await run(unix, { network: true, writable_paths: [] })).toMatchObject({ type: 'failed' })
  })

  test('WS4 only what was granted can be written, and a path that is not there becomes a folder', async () => {
    const { root, run } = await bench()
    const writable = { network: false, writable_paths: ['out/deep'] }
    expect(await run('echo x > out/deep/made', writable)).toMatchObject({ type: 'result' })
    expect(readFileSync(join(root, 'out/deep/made'), 'utf8')).toBe('x\n')
    for (const path of ['out/beside', 'read.txt', 'new'])
      expect(await run(`echo x > ${path}`, writable)).toMatchObject({ type: 'failed' })
    expect(await run('echo x > read.txt', { network: false, writable_paths: ['.'] })).toMatchObject({ type: 'result' })
  })

  test('WS1 a path to write that leads out of the workspace by a link is refused', async () => {
    const { root, run } = await bench()
    const outside = await scratch({ kept: 'kept' })
    onTestFinished(() => outside.remove())
    symlinkSync(outside.path, join(root, 'link'))
    for (const path of ['link', 'link/deeper'])
      expect(await run('true', { network: false, writable_paths: [path] })).toMatchObject({
        recoverable: false,
        reason: expect.stringContaining('leads out of its workspace') as string,
      })
    expect(readdirSync(outside.path)).toEqual(['kept'])
  })

  test('AR3 what it leaves is taken out and reported: files and links, their modes left behind; the rest is said in the log', async () => {
    const { root, conversation, run } = await bench({ sandbox: { folderBytes: 1024 * 1024, fileBytes: 8 * 1024 * 1024 } })
    const reported = collectAll(conversation)
    const end = await run(`cd "$FLOTILLA_ARTIFACTS"; mkdir -p sub; echo a > sub/a.txt; chmod 777 sub/a.txt
      ln -s /etc/passwd link; truncate -s 5M sparse; echo '{"answer":42}' > ../output.json; echo more > ../not-taken`)
    expect(end).toMatchObject({ type: 'result', output: { answer: 42 } })
    expect(reported.toSorted()).toEqual(['artifacts/link', 'artifacts/sub/a.txt'])
    const folder = join(root, 'attempts', 't1')
    expect(readFileSync(join(folder, 'artifacts/sub/a.txt'), 'utf8')).toBe('a\n')
    expect(statSync(join(folder, 'artifacts/sub/a.txt')).mode & 0o777).toBe(0o600)
    expect((await readdir(folder)).toSorted()).toEqual(['artifacts', 'input.json', 'output.json'])
    expect(conversation.log()).toContain('[artifacts/sparse left out: with it there would be more than 1048576 bytes]')
  })

  test('AR3 a folder of artifacts that became a link leads nowhere', async () => {
    const { conversation, run } = await bench()
    expect(await run('rmdir "$FLOTILLA_ARTIFACTS"; ln -s / "$FLOTILLA_ARTIFACTS"')).toMatchObject({ type: 'result' })
    expect(conversation.heard.filter(({ type }) => type === 'artifact')).toEqual([])
    expect(conversation.log()).toContain('[artifacts left out: it is no folder any more]')
  })

  test('WS3 its environment is the one of other commands, with a home and a place for temporary files of its own', async () => {
    const { root, conversation, run } = await bench()
    await run('env; cat /proc/1/environ')
    const lines = conversation.log().split('\n')
    const own = lines.filter((line) => !line.includes('\0'))
    const first = lines.find((line) => line.includes('\0')) ?? ''
    const folder = join(root, 'attempts', 't1')
    expect(own).toEqual(
      expect.arrayContaining([`HOME=${folder}`, 'TMPDIR=/tmp', 'FLOTILLA_TASK=t1', `FLOTILLA_FOLDER=${folder}`]),
    )
    expect(
      first
        .split('\0')
        .filter((entry) => entry !== '')
        .map((entry) => entry.split('=')[0])
        // Said by the shell that puts it into its control group, of its own folder.
        .filter((name) => name !== 'PWD')
        .toSorted(),
    ).toEqual(['FLOTILLA_ATTEMPT', 'FLOTILLA_RUN', 'FLOTILLA_STORE', 'FLOTILLA_TASK'].toSorted())
  })

  test('SE6 a variable cannot become an option of bubblewrap', async () => {
    const { root, conversation } = await bench()
    const evil = `x\0--bind\0/\0${root}`
    const task = { metadata: { command: ['true'] } }
    const send = (FOO: string, id: string) =>
      conversation.channel.send(
        assignment({ ...task, id }, { root, folder: join(root, 'attempts', id), confined: nothing, environment: { FOO } }),
      )
    send(evil, 'evil')
    expect(await conversation.last('evil')).toMatchObject({
      recoverable: false,
      reason: expect.stringContaining('NUL') as string,
    })
    send('--bind / /', 'harmless')
    expect(await conversation.last('harmless')).toMatchObject({ type: 'result' })
  })

  test('HO6 programs that lie elsewhere can be shown to it', async () => {
    const elsewhere = await scratch({ tool: '#!/bin/sh\necho from elsewhere\n' })
    onTestFinished(() => elsewhere.remove())
    chmodSync(join(elsewhere.path, 'tool'), 0o755)
    const tool = join(elsewhere.path, 'tool')
    const without = await bench()
    expect(await without.conversation.last(without.begin([tool]).task_id)).toMatchObject({ type: 'failed', recoverable: false })
    const shown = await bench({ sandbox: { readable: [elsewhere.path] } })
    expect(await shown.conversation.last(shown.begin([tool]).task_id)).toMatchObject({
      type: 'result',
      summary: 'from elsewhere',
    })
  })

  test('HO6 ten sandboxes at a time leave neither descriptors nor control groups behind', async () => {
    const { begin, conversation } = await bench()
    const groups = () =>
      'host' in probe && probe.host.processGroups
        ? readdirSync(probe.host.processGroups).filter((name) => name.startsWith(`flotilla-${process.pid}-`))
        : []
    const count = () => readdirSync('/proc/self/fd').length
    await conversation.last(begin(['true']).task_id)
    const before = count()
    const all = Array.from({ length: 10 }, () => begin(['true']))
    for (const { task_id } of all) expect(await conversation.last(task_id)).toMatchObject({ type: 'result' })
    await until(() => count() <= before, 'descriptors to be closed')
    await until(() => groups().length === 0, `the control groups ${groups().join(', ')} to be removed`)
  })

  test('SE1 SE3 a worker of a run at sandbox runs its commands confined, and the receipt says what was enforced', async () => {
    const { path, remove } = await scratch({ 'workspace/read.txt': 'read' })
    onTestFinished(remove)
    await mkdir(join(path, 'workspace'), { recursive: true })
    await writeFile(join(path, 'workspace', 'read.txt'), 'read')
    const fleet = await createFleet({
      store: jsonStore({ folder: join(path, 'workspace', '.flotilla') }),
      workspace: join(path, 'workspace'),
    })
    onTestFinished(() => fleet.close({ graceMs: 0 }))
    const command = (id: string, script: string) => ({
      id,
      name: id,
      instructions: 'x',
      metadata: { command: ['sh', '-c', script] },
      scorer: { kind: 'exit_code' as const },
      retry_policy: { max_attempts: 1 },
    })
    const run = await fleet.start({
      name: 'r',
      worker_specs: [{ id: 'boxed', name: 'Boxed', host: { kind: 'local' } }],
      security_policy: { capability_grants: [{ capability: 'workspace-write', scope: 'out' }] },
      tasks: [
        command('fine', 'cat read.txt > "$FLOTILLA_ARTIFACTS/report.txt"; echo x > out/made'),
        command('store', 'cat .flotilla/journal/*'),
        command('write', 'echo x > read.txt'),
      ],
    })
    const { receipts } = await run.result()
    expect(receipts['fine']).toMatchObject({
      result: 'pass',
      artifacts: [{ kind: 'report', size_bytes: 4 }],
      effective_permissions: {
        write: true,
        network: false,
        shell: 'full',
        background: false,
        source: 'trust level sandbox with workspace-write out',
      },
    })
    for (const id of ['store', 'write']) expect(receipts[id]).toMatchObject({ result: 'fail', failure_kind: 'task' })
    expect(readFileSync(join(path, 'workspace/out/made'), 'utf8')).toBe('x\n')
  })

  test('LE7 a timeout ends a sandboxed command', async () => {
    const { path, remove } = await scratch()
    onTestFinished(remove)
    const fleet = await createFleet({ workspace: path, workers: [{ id: 'w', commands: true, trustLevel: 'sandbox' }] })
    onTestFinished(() => fleet.close({ graceMs: 0 }))
    const mark = 7_000_000 + process.pid
    const metadata = { command: ['sleep', String(mark)] }
    const run = await fleet.start({
      name: 'r',
      tasks: [{ id: 'a', name: 'A', instructions: 'x', metadata, timeout_seconds: 1, retry_policy: { max_attempts: 1 } }],
    })
    expect((await run.result()).receipts['a']).toMatchObject({ result: 'timeout' })
    await until(() => sleepers(mark).length === 0, 'its end')
  })
})

/** Processes that sleep for so many seconds. */
function sleepers(seconds: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid) || !isRunning(pid)) return false
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `sleep\0${seconds}\0`
      } catch {
        return false
      }
    })
}

function drive(
  root: string,
  script: string,
  storeId: string,
  how: string,
  stdio: Parameters<typeof spawn>[2]['stdio'] = ['ignore', 'pipe', 'inherit'],
): ChildProcess {
  const program = fileURLToPath(new URL('../fixtures/run-confined.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', 'flotilla-source', program, root, script, storeId, how], {
    stdio,
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function linesOf(child: ChildProcess): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = []
  for await (const line of createInterface({ input: child.stdout! })) lines.push(JSON.parse(line) as Record<string, unknown>)
  return lines
}
