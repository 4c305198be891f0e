import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { CheckCommand } from '../../src/ports/check-runner.ts'
import type { Confinement } from '../../src/protocol/wire.ts'
import { createRedactor } from '../../src/security/redactor.ts'
import { containerBench } from '../fixtures/container-bench.ts'
import { testContainers, type TestContainers } from '../fixtures/podman.ts'
import { until } from '../fixtures/processes.ts'

const found = testContainers()
const lacking = 'missing' in found ? `no containers here: ${found.missing}` : undefined
const containers = found as TestContainers
const confined: Confinement = { network: false, writable_paths: [] }

async function bench(options: Parameters<typeof containerBench>[1] = {}) {
  const made = await containerBench(containers, options)
  onTestFinished(() => made.close())
  return made
}

describe.skipIf(lacking !== undefined)(lacking ?? 'a command in a container', () => {
  test('HO2 runs in the workspace root of its task, and its exit code, last line and output come back', async () => {
    const { run, root, storeId } = await bench()
    const { end, text } = await run('cat work.txt; pwd; echo \'{"n":1}\' > "$FLOTILLA_FOLDER/output.json"; echo bye')
    expect(end).toMatchObject({ type: 'result', exit_code: 0, summary: 'bye', output: { n: 1 } })
    expect(text).toBe(`done\n${root}\nbye\n`)
    expect(containers.containersOf(storeId)).toEqual([])
  })

  test.each([undefined, confined])('AR1 leaves artifacts in the attempt’s folder, confined by %o too', async (confinement) => {
    const { conversation, assignment, root } = await bench()
    const script =
      'echo text > "$FLOTILLA_ARTIFACTS/report.md"; ln -s /etc/passwd "$FLOTILLA_ARTIFACTS/link"; echo [2] > "$FLOTILLA_FOLDER/output.json"'
    const assign = assignment(['sh', '-c', script], confinement && { confined: confinement })
    conversation.channel.send(assign)
    const { run_id, task_id, attempt } = assign
    for (const report of [1, 2]) {
      await until(() => conversation.heard.filter(({ type }) => type === 'artifact').length === report)
      conversation.channel.send({ type: 'collected', run_id, task_id, attempt, report, refused: 'not today' })
    }
    expect(await conversation.last()).toMatchObject({ type: 'result', output: [2] })
    const artifacts = conversation.heard.flatMap((one) => (one.type === 'artifact' ? [one.path] : []))
    expect(artifacts).toEqual(['artifacts/link', 'artifacts/report.md'])
    expect(await readFile(join(root, '.flotilla/attempts/t1/artifacts/report.md'), 'utf8')).toBe('text\n')
  })

  test('RE7 another exit code is a failure of the task, and what it wrote is quoted', async () => {
    const { run } = await bench()
    const { end } = await run('echo oops >&2; exit 126')
    expect(end).toMatchObject({ type: 'failed', failure_kind: 'task', exit_code: 126, recoverable: true })
    expect(end).toMatchObject({ reason: expect.stringContaining('oops') as string })
  })

  test.each([
    ['no-such-program', 'No such file'],
    ['./work.txt', 'Permission denied'],
  ])('RE3 a program that cannot be run there is final: %s', async (program, why) => {
    const { conversation, assignment } = await bench()
    conversation.channel.send(assignment([program, '--help']))
    expect(await conversation.last()).toMatchObject({
      ...{ type: 'failed', failure_kind: 'task', recoverable: false },
      reason: expect.stringContaining(why) as string,
    })
  })

  test('RE7 an image that does not exist is a failure of the way to the work, which says so', async () => {
    const { run, storeId } = await bench({ image: 'localhost/flotilla-nowhere:1' })
    const { end } = await run('true')
    expect(end).toMatchObject({ type: 'failed', failure_kind: 'transport', recoverable: true })
    expect(end).toMatchObject({ reason: expect.stringContaining('flotilla-nowhere') as string })
    expect(containers.containersOf(storeId)).toEqual([])
    const never = await bench({ image: 'localhost/flotilla-nowhere:1', pull: 'never' })
    expect((await never.run('true')).end).toMatchObject({ reason: expect.stringContaining('not to be fetched') as string })
  })

  test('WS3 has its own variables, what its task allows, and nothing of the fleet’s', async () => {
    const { run, root, storeId } = await bench()
    const { text } = await run('env', { environment: { ALLOWED: "it's $allowed", EMPTY: '' } })
    const names = text
      .trimEnd()
      .split('\n')
      .map((line) => line.split('=')[0])
    const own = ['ATTEMPT', 'FOLDER', 'ARTIFACTS', 'INPUT', 'RUN', 'STORE', 'TASK'].map((name) => `FLOTILLA_${name}`)
    const ofTheImage = ['HOSTNAME', 'PATH', 'PWD', 'TERM', 'container']
    expect(names.toSorted()).toEqual([...own, ...ofTheImage, 'ALLOWED', 'EMPTY', 'HOME', 'TMPDIR'].toSorted())
    expect(text).toContain("ALLOWED=it's $allowed\n")
    expect(text).toContain(`HOME=${root}/.flotilla/attempts/t1\n`)
    expect(text).toContain(`FLOTILLA_STORE=${storeId}\n`)
  })

  test('SE5 gets its secrets without the runtime or the list of processes seeing them', async () => {
    const value = "hunter2 'quoted' $(id) `id`\nsecond line"
    const { conversation, assignment, storeId } = await bench({
      redactor: () => createRedactor([{ key: 'TOKEN', value }]),
    })
    const digest = createHash('sha256').update(value).digest('hex')
    const script = `printf %s "$TOKEN" | sha256sum; echo "$TOKEN"; cat; echo ready; exec sleep 60`
    const assign = assignment(['sh', '-c', script, '$0', '$(id)'], {
      secrets: { TOKEN: value },
      environment: { ALLOWED: 'seen-by-the-runtime' },
    })
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))
    expect(conversation.log()).toContain(digest)
    expect(conversation.log()).not.toContain('hunter2')
    const [name = ''] = containers.containersOf(storeId)
    const inspected = containers.podman('inspect', name)
    expect(inspected).not.toContain('hunter2')
    expect(inspected).toContain('seen-by-the-runtime')
    const { stdout } = spawnSync('ps', ['axww', '-o', 'args'], { encoding: 'utf8' })
    expect(stdout).toContain(name)
    expect(stdout).not.toMatch(/hunter2|seen-by-the-runtime/)
    conversation.stop(assign)
    expect((await conversation.last()).type).toBe('stopped')
  })

  test('RE3 a program that is not there is final where secrets are handed over too', async () => {
    const { conversation, assignment } = await bench()
    conversation.channel.send(assignment(['no-such-program'], { secrets: { TOKEN: 'x'.repeat(20) } }))
    expect(await conversation.last()).toMatchObject({ type: 'failed', recoverable: false })
  })

  test('SE6 arguments are data, whatever they look like', async () => {
    const { conversation, assignment } = await bench()
    const words = ['--privileged', '-v', '/:/host', "it's", '$(id)', 'a b\nc', '--', '-e', 'X=1']
    conversation.channel.send(assignment(['printf', '<%s>\\n', ...words]))
    expect((await conversation.last()).type).toBe('result')
    expect(conversation.log()).toBe(words.map((word) => `<${word}>\n`).join(''))
  })
})

describe.skipIf(lacking !== undefined)(lacking ?? 'the end of a container', () => {
  test('HO3 it is asked to end, and the end is confirmed once nothing is left', async () => {
    const { conversation, assignment, storeId } = await bench({ termToKillMs: 30_000 })
    const assign = assignment(['sh', '-c', "trap 'echo heeded; exit 0' TERM; echo ready; while :; do sleep 0.1; done"])
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))
    expect(containers.containersOf(storeId)).toHaveLength(1)
    conversation.stop(assign, { graceMs: 30_000 })
    expect((await conversation.last()).type).toBe('stopped')
    expect(conversation.log()).toContain('heeded')
    expect(containers.containersOf(storeId)).toEqual([])
  })

  test('HO3 what ignores TERM is killed after the grace, with all that it started', async () => {
    const { conversation, assignment, storeId } = await bench({ termToKillMs: 300 })
    const script = "trap '' TERM; (setsid sh -c \"trap '' TERM; sleep 4321\" &) ; echo ready; sleep 4321"
    const assign = assignment(['sh', '-c', script])
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))
    expect(processes('sleep 4321')).toHaveLength(2)
    conversation.stop(assign)
    expect((await conversation.last()).type).toBe('stopped')
    expect(processes('sleep 4321')).toEqual([])
    expect(containers.containersOf(storeId)).toEqual([])
  })

  test('HO3 what outlives the command ends with it', async () => {
    const { run, storeId } = await bench()
    const { end } = await run('(setsid sleep 4322 &); sleep 0.4; echo over')
    expect(end).toMatchObject({ type: 'result', summary: 'over' })
    expect(processes('sleep 4322')).toEqual([])
    expect(containers.containersOf(storeId)).toEqual([])
  })

  test('BU2 a hand-back asks by TERM, and code 0 in time is a result', async () => {
    const { conversation, assignment } = await bench()
    const assign = assignment(['sh', '-c', "trap 'echo handed; exit 0' TERM; echo ready; while :; do sleep 0.1; done"])
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))
    const { run_id, task_id, attempt } = assign
    conversation.channel.send({ type: 'hand_back', run_id, task_id, attempt, reason: 'spent', grace_ms: 30_000 })
    expect(await conversation.last()).toMatchObject({ type: 'result', exit_code: 0, summary: 'handed' })
  })

  test('WO3 a stop while the container is being made leaves nothing', async () => {
    const { conversation, assignment, storeId } = await bench()
    for (const waitMs of [0, 30, 60, 90, 120, 200]) {
      const id = `t${waitMs}`
      const assign = assignment(['sleep', '4323'], { id })
      conversation.channel.send(assign)
      await new Promise((resolve) => setTimeout(resolve, waitMs))
      conversation.stop(assign)
      expect((await conversation.last(id)).type).toBe('stopped')
    }
    expect(processes('sleep 4323')).toEqual([])
    expect(containers.containersOf(storeId)).toEqual([])
  })

  test('RE7 a client that is killed is a failure of the way, and its container does not outlive it', async () => {
    const { conversation, assignment, storeId } = await bench()
    conversation.channel.send(assignment(['sh', '-c', 'echo ready; exec sleep 4324']))
    const { process: record } = await conversation.hear('accepted')
    await until(() => conversation.log().includes('ready'))
    process.kill(-record!.group, 'SIGKILL')
    expect(await conversation.last()).toMatchObject({
      ...{ type: 'failed', failure_kind: 'transport' },
      reason: expect.stringContaining('client of its container') as string,
    })
    expect(processes('sleep 4324')).toEqual([])
    expect(containers.containersOf(storeId)).toEqual([])
  })

  test('HO4 a flood of output neither blocks it nor fills a disk with its log', async () => {
    const { run, storeId } = await bench({ unreadLimit: 64 * 1024 })
    const { end, text } = await run('yes line | head -n 300000; printf "half a line"')
    expect(end).toMatchObject({ type: 'result', summary: 'half a line' })
    expect(text.length).toBeLessThan(4_000_000)
    expect(containers.containersOf(storeId)).toEqual([])
  })
})

describe.skipIf(lacking !== undefined)(lacking ?? 'what a container may', () => {
  test('WS4 without paths of its own a task writes its root; with some, those alone', async () => {
    const { run } = await bench()
    const tries = 'for one in made out/made; do touch $one 2>/dev/null && echo $one; done; true'
    expect((await run(tries, { id: 'all' })).text).toBe('made\nout/made\n')
    const task = { workspace: { writable_paths: ['out'] } }
    expect((await run(tries, { id: 'some', task })).text).toBe('out/made\n')
    expect((await run(tries, { id: 'none', confined })).text).toBe('')
    expect((await run(tries, { id: 'granted', confined: { network: false, writable_paths: ['out'] } })).text).toBe('out/made\n')
  })

  test('WS1 a path to write that leads out by a link is refused', async () => {
    const { run, root } = await bench()
    await symlink('/etc', join(root, 'out', 'etc'))
    const { end } = await run('true', { confined: { network: false, writable_paths: ['out/etc'] } })
    expect(end).toMatchObject({ type: 'failed', recoverable: false, reason: expect.stringContaining('leads out') as string })
  })

  test('SE3 the store in its workspace is not shown, at any level', async () => {
    const { run } = await bench()
    const look = 'ls -A .flotilla; cat .flotilla/journal; echo over'
    for (const rest of [{ id: 'open' }, { id: 'kept', confined }]) {
      const { text } = await run(look, rest)
      expect(text).not.toContain('the store')
      expect(text.split('\n')).toEqual(expect.arrayContaining(['attempts', 'over']))
    }
  })

  test('SE4 the network is there when it is granted, and not otherwise', async () => {
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const { run } = await bench({ network: 'host' })
    const connect = `python3 -c "import socket; print(socket.create_connection(('127.0.0.1', ${port}), 2).recv(9))"`
    expect((await run(connect, { id: 'granted', confined: { network: true, writable_paths: [] } })).text).toContain("b'hello'")
    expect((await run(connect, { id: 'open' })).end).toMatchObject({ type: 'result' })
    expect((await run(connect, { id: 'kept', confined })).end).toMatchObject({ type: 'failed', failure_kind: 'task' })
  })

  test('HO6 a socket in the workspace is refused before the start of what must be confined', async () => {
    const { run, root } = await bench()
    const server = createServer().listen(join(root, 'out', 'socket'))
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { end } = await run('true', { id: 'kept', confined })
    expect(end).toMatchObject({ type: 'failed', recoverable: false, reason: expect.stringContaining('a way out') as string })
    expect((await run('true', { id: 'open' })).end.type).toBe('result')
  })

  test('SE3 what it keeps in memory and in its folder is bounded, and passing the bound ends it with the reason', async () => {
    const { run, storeId } = await bench({ bounds: { memoryBytes: 64 * 1024 ** 2 } })
    const eat = 'import sys; kept = bytearray(200 * 1024 ** 2); print(len(kept))'
    const eaten = await run(`exec python3 -c '${eat}'`, { id: 'eats' })
    expect(eaten.end).toMatchObject({
      type: 'failed',
      failure_kind: 'transport',
      reason: expect.stringContaining('67108864 bytes') as string,
    })
    const filled = await run('for n in 1 2 3 4 5 6; do head -c 30000000 /dev/zero > "$FLOTILLA_FOLDER/$n" || exit 3; done', {
      id: 'fills',
      confined,
    })
    expect(filled.end).toMatchObject({ type: 'failed' })
    const fits = await run('head -c 30000000 /dev/zero > "$FLOTILLA_FOLDER/1"', { id: 'fits', confined })
    expect(fits.end).toMatchObject({ type: 'result' })
    expect((await readdir('/dev/shm')).filter((name) => name.includes(storeId))).toEqual([])
  })

  test('SE3 how many processes it has is bounded', async () => {
    const { run } = await bench({ bounds: { processes: 20 } })
    const fork = (count: number) => `python3 -c "
import os, signal
children = []
try:
  for _ in range(${count}):
    child = os.fork()
    if child == 0: signal.pause()
    children.append(child)
finally:
  for child in children: os.kill(child, 9)
"`
    expect((await run(fork(5), { id: 'few' })).end).toMatchObject({ type: 'result' })
    expect((await run(fork(40), { id: 'many' })).text).toContain('BlockingIOError')
  })

  test('SE3 a workspace that its user cannot read is refused with the reason', async () => {
    const { run, root } = await bench({ user: '4321:4321' })
    await chmod(root, 0o700)
    expect((await run('true')).end).toMatchObject({
      type: 'failed',
      recoverable: false,
      reason: expect.stringContaining('4321') as string,
    })
  })
})

describe.skipIf(lacking !== undefined)(lacking ?? 'a check in a container', () => {
  async function checked(script: string, more: Partial<CheckCommand> = {}) {
    const { transport, root, storeId } = await bench()
    const folder = join(root, '.flotilla', 'attempts', 't1')
    await mkdir(join(folder, 'artifacts'), { recursive: true })
    await writeFile(join(folder, 'artifacts', 'report.md'), 'fine')
    const end = await transport.checks.run(
      {
        ...{ key: { run_id: 'r', task_id: 't1', attempt: 1 }, worker: 'w1', storeId, program: 'sh', args: ['-c', script] },
        ...{ root, folder, environment: { ALLOWED: 'yes' }, confined: undefined, input: { told: true }, ...more },
      },
      { signal: new AbortController().signal },
    )
    expect(containers.containersOf(storeId)).toEqual([])
    expect((await readdir('/dev/shm')).filter((name) => name.includes(storeId))).toEqual([])
    return { end, root }
  }

  test.each([undefined, confined])(
    'VE3 reads the workspace, the artifacts and what it is told, confined by %o too',
    async (kept) => {
      const script = `cat work.txt "$FLOTILLA_ARTIFACTS/report.md" "$FLOTILLA_INPUT"; echo; echo $ALLOWED; echo '{"value": 3}'`
      const { end } = await checked(script, { confined: kept })
      expect(end).toMatchObject({ exitCode: 0, score: { value: 3 } })
      expect(end.output).toContain('done\nfine{\n  "told": true\n}\nyes\n')
    },
  )

  test('VE3 its exit code comes back, and what cannot be run is a problem', async () => {
    expect((await checked('exit 7')).end).toMatchObject({ exitCode: 7 })
    expect((await checked('', { program: 'no-such-program' })).end).toMatchObject({
      problem: expect.stringContaining('No such file') as string,
    })
  })

  test('VE3 SE3 a confined check changes nothing: not the workspace, not the artifacts, and nothing hears of it', async () => {
    const script = `touch made || echo kept; echo changed > "$FLOTILLA_ARTIFACTS/report.md" || echo kept; ls /sys/class/net; cat "$FLOTILLA_ARTIFACTS/report.md"`
    const { end, root } = await checked(script, { confined })
    const said = end.output.split('\n').filter((line) => !line.includes('Read-only file system'))
    expect(said).toEqual(['kept', 'kept', 'lo', 'fine', ''])
    expect(await readdir(root)).not.toContain('made')
  })

  test('AR3 a link that the attempt left in the place of its input leads nowhere', async () => {
    const { transport, root, storeId } = await bench()
    const folder = join(root, '.flotilla', 'attempts', 't1')
    await mkdir(folder, { recursive: true })
    await writeFile(join(root, 'precious'), 'precious')
    await symlink(join(root, 'precious'), join(folder, 'scorer-input.json'))
    const end = await transport.checks.run(
      {
        ...{ key: { run_id: 'r', task_id: 't1', attempt: 1 }, worker: 'w1', storeId, program: 'cat', args: ['precious'] },
        ...{ root, folder, environment: {}, confined: undefined, input: { told: true } },
      },
      { signal: new AbortController().signal },
    )
    expect(end).toMatchObject({ exitCode: 0, output: 'precious\n' })
    expect(await readFile(join(root, 'precious'), 'utf8')).toBe('precious')
  })
})

/** Pids of processes of this machine with a command line. */
function processes(commandLine: string): readonly number[] {
  const { stdout } = spawnSync('ps', ['axww', '-o', 'pid=,args='], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+) (.*)$/.exec(line))
    .filter((match) => match?.[2] === commandLine)
    .map((match) => Number(match?.[1]))
}
