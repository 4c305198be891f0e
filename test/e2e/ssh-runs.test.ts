import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { checkRun, createFleet, jsonStore, ssh } from '../../src/index.ts'
import type { Fleet, FleetOptions } from '../../src/index.ts'
import { added, remains, type Remains } from '../fixtures/remains.ts'
import { until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'
import { cliFolder } from '../support/cli.ts'
import { freePort, startSshd, type TestSshd } from '../fixtures/sshd.ts'

let sshd: TestSshd
let folder: Awaited<ReturnType<typeof scratch>>
let before: Remains
let temporary: string | undefined
const open: Fleet[] = []

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
  folder = await scratch({ 'in.txt': 'input\n', 'host/there.txt': 'there\n' })
  before = remains(sshd.folder)
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((fleet) => fleet.close({ graceMs: 0 })))
  await until(() => Object.keys(added(before, remains(sshd.folder))).length === 0, 'nothing to be left').catch(() =>
    expect(added(before, remains(sshd.folder))).toEqual({}),
  )
  await folder.remove()
})

async function fleetWith(options: FleetOptions = {}): Promise<Fleet> {
  const fleet = await createFleet({ workspace: folder.path, ...options })
  open.push(fleet)
  return fleet
}

const far = (host: object = {}, more: object = {}) =>
  ({
    id: 'far',
    name: 'Far',
    trust_level: 'local',
    host: {
      kind: 'ssh',
      host: '127.0.0.1',
      port: sshd.port,
      identity: sshd.identity,
      host_key_fingerprint: sshd.fingerprint,
      ...host,
    },
    ...more,
  }) as never

const task = (id: string, command: string, more: object = {}) =>
  ({
    id,
    name: id,
    instructions: 'Run it.',
    scorer: { kind: 'exit_code' },
    metadata: { command: ['sh', '-c', command] },
    retry_policy: { max_attempts: 1 },
    ...more,
  }) as never

describe('a run with a worker over ssh', () => {
  test('HO5 has its commands run there, with their input, and judged by what lies there', async () => {
    const fleet = await fleetWith()
    const run = await fleet.start({
      name: 'far',
      target: 'another_computer',
      worker_specs: [far({}, { max_concurrent_tasks: 4 })],
      tasks: [
        task('reads', 'cat in.txt; echo report >"$FLOTILLA_ARTIFACTS/report.md"', {
          input_files: ['in.txt'],
          expected_artifacts: ['report'],
        }),
        task('leaves', 'echo \'{"ok":{"n":3}}\' >found.json', {
          scorer: { kind: 'json_path', path: 'found.json', expression: '$.ok.n' },
        }),
        task('forgets', 'true', { scorer: { kind: 'file_exists', path: 'found.json' } }),
        task('matches', 'echo all is well >log.txt', { scorer: { kind: 'regex_match', path: 'log.txt', pattern: 'is w.ll' } }),
        task('escapes', 'ln -s /etc/passwd log.txt', { scorer: { kind: 'regex_match', path: 'log.txt', pattern: 'root' } }),
        task('checked', 'echo 5 >count', {
          scorer: { kind: 'command', command: 'sh', args: ['-c', 'read n <count; echo "{\\"value\\": $n}"'] },
        }),
        task('wrong', 'echo 5 >count', { scorer: { kind: 'command', command: 'sh', args: ['-c', 'echo it is wrong; exit 1'] } }),
      ],
    })
    const { receipts } = await run.result()

    expect(
      Object.fromEntries(Object.entries(receipts).map(([id, receipt]) => [id, [receipt.result, receipt.failure_kind]])),
    ).toEqual({
      reads: ['pass', undefined],
      leaves: ['pass', undefined],
      forgets: ['fail', 'task'],
      matches: ['pass', undefined],
      escapes: ['fail', 'verifier'],
      checked: ['pass', undefined],
      wrong: ['fail', 'task'],
    })
    expect(receipts['reads']?.artifacts.map(({ kind }) => kind).sort()).toEqual(['log', 'report'])
    expect(receipts['checked']?.score).toMatchObject({ value: 5 })
    expect(receipts['reads']?.worker_id).toBe('far')
  }, 30_000)

  test('HO5 works in the working directory that its host names, and below it (M1)', async () => {
    const fleet = await fleetWith()
    const run = await fleet.start({
      name: 'there',
      worker_specs: [far({ working_directory: folder.path })],
      tasks: [
        task('root', 'pwd', { scorer: { kind: 'command', command: 'test', args: ['-f', 'in.txt'] } }),
        task('below', 'cat there.txt', { workspace: { root: 'host' }, scorer: { kind: 'file_exists', path: 'there.txt' } }),
      ],
    })
    const { receipts } = await run.result()
    expect([receipts['root']?.result, receipts['below']?.result]).toEqual(['pass', 'pass'])
  }, 20_000)

  test('SE5 is handed its secrets, which appear in nothing that it leaves', async () => {
    const fleet = await fleetWith({ secrets: { source: 'test', resolve: async () => 'quite-secret-value' } as never })
    const run = await fleet.start({
      name: 'secret',
      security_policy: { allowed_secrets: ['KEY'] },
      worker_specs: [far()],
      tasks: [task('tells', 'printf "%s" "$KEY" | wc -c; echo "it is $KEY"')],
    } as never)
    const { receipts } = await run.result()
    expect(receipts['tells']).toMatchObject({ result: 'pass' })
    expect(JSON.stringify(receipts)).not.toContain('quite-secret-value')
  }, 20_000)

  test('SE1 has a verified identity by the pinned key of its host, and runs at its level where that is required', async () => {
    const fleet = await fleetWith()
    const security_policy = { require_identity_verification: true }
    const run = await fleet.start({ name: 'verified', security_policy, worker_specs: [far()], tasks: [task('a', 'true')] })
    expect((await run.result()).receipts['a']).toMatchObject({
      result: 'pass',
      effective_permissions: { write: true, network: true },
    })
  }, 20_000)

  test('SE2 at the level sandbox is refused, since nothing confines what runs there', async () => {
    const fleet = await fleetWith()
    const spec = { name: 'confined', worker_specs: [far({}, { trust_level: 'sandbox' })], tasks: [task('a', 'true')] }
    await expect(fleet.create(spec)).rejects.toMatchObject({
      code: 'unenforceable',
      message: expect.stringContaining('nothing confines what runs at another host'),
    })
    expect((await fleet.create({ ...spec, worker_specs: [far()] })).created).toBe(true)
  }, 20_000)

  test('SE7 logs in with the key and the user of its auth', async () => {
    const fleet = await fleetWith()
    const auth = { method: 'ssh_key', identity: sshd.identity, host_key_fingerprint: sshd.fingerprint, user: sshd.spec.user }
    const host = { identity: undefined, host_key_fingerprint: undefined }
    const run = await fleet.start({ name: 'auth', worker_specs: [far(host, { auth })], tasks: [task('a', 'true')] })
    expect((await run.result()).receipts['a']?.result).toBe('pass')
  }, 20_000)

  test('SE2 every problem of a host is refused by its path, and nothing is created', async () => {
    const fleet = await fleetWith()
    const wrong = far({
      host: '-oProxyCommand=x',
      host_key_fingerprint: 'MD5:00',
      user: '-l',
      env_allowlist: ['API_KEY', 'A-B'],
      working_directory: 'here',
    })
    const unpinned = far({ host_key_fingerprint: undefined })
    const tasks = [task('a', 'true')]
    await expect(fleet.create({ name: 'x', tasks, worker_specs: [wrong] })).rejects.toMatchObject({ code: 'invalid_document' })
    const paths = async (spec: never) =>
      fleet.create({ name: 'x', tasks, worker_specs: [spec] }).then(
        () => [],
        (error: { code: string; details: { problems: { path: string }[] } }) => [
          error.code,
          ...error.details.problems.map(({ path }) => path),
        ],
      )
    expect(await paths(unpinned)).toEqual(['unenforceable', 'worker_specs[0].host'])
    const less = far({
      host_key_fingerprint: 'MD5:00',
      env_allowlist: ['API_KEY', 'A-B'],
      working_directory: 'here',
      host: 'a;b',
    })
    expect(await paths(less)).toEqual([
      'unenforceable',
      'worker_specs[0].host.host',
      'worker_specs[0].host.host_key_fingerprint',
      'worker_specs[0].host.working_directory',
      'worker_specs[0].host.env_allowlist[1]',
      'worker_specs[0].host.env_allowlist[0]',
    ])
    expect(await paths(far({}, { auth: { method: 'token', token_ref: 'T' } }))).toEqual(
      expect.arrayContaining(['unenforceable', 'worker_specs[0].auth']),
    )
    expect(await fleet.runs()).toEqual([])
    expect(() => checkRun({ name: 'x', tasks, worker_specs: [far()] })).not.toThrow()
  })

  test('ST11 WO2 is carried on when its host comes up again', async () => {
    const down = await freePort()
    const store = () => jsonStore({ folder: join(folder.path, 'store') })
    const first = await fleetWith({ store: store() })
    const run = await first.start({ name: 'later', worker_specs: [far({ port: down })], tasks: [task('a', 'true')] })
    await until(async () => JSON.stringify(await run.explain('a')).includes('far'))
    expect((await first.runs()).map(({ status }) => status)).not.toContain('completed')
    open.splice(0)
    await first.close({ graceMs: 0 })
    const late = await startSshd({ port: down, like: sshd })
    try {
      const second = await fleetWith({ store: store() })
      const again = await second.run(run.id)
      expect((await again.result()).receipts['a']?.result).toBe('pass')
      open.splice(0)
      await second.close({ graceMs: 0 })
    } finally {
      await late.stop()
    }
  }, 30_000)
})

test('HO5 the example of a task file runs as it is, once its host is a real one', async () => {
  const written = await readFile(new URL('../../examples/remote/tasks.toml', import.meta.url), 'utf8')
  const mine = {
    'build.example.org': '127.0.0.1',
    '22': sshd.port,
    '"ci"': JSON.stringify(sshd.spec.user),
    '~/.ssh/id_ed25519': sshd.identity,
  }
  const fingerprint = written.replace(/SHA256:A+/, sshd.fingerprint)
  const file = Object.entries(mine).reduce(
    (text, [from, to]) => text.replace(new RegExp(`(^\\w+ = .*)${from.replaceAll('/', '\\/')}`, 'm'), `$1${to}`),
    fingerprint,
  )
  await using cli = await cliFolder()

  await cli.file('tasks.toml', file)

  const { exit, out, err } = await cli.call('run', 'tasks.toml')

  expect({ exit, err }).toEqual({ exit: 0, err: '' })
  expect(out).toContain('completed')
}, 30_000)

describe('a worker over ssh that the application names', () => {
  const reached = (more: object = {}) =>
    ssh({ host: '127.0.0.1', port: sshd.port, identity: sshd.identity, hostKeyFingerprint: sshd.fingerprint, ...more })

  test('HO5 runs commands, and gets the variables that it allows', async () => {
    process.env['FLOTILLA_TEST_REGION'] = 'north'
    try {
      const transport = reached({ envAllowlist: ['FLOTILLA_TEST_REGION'] })
      const fleet = await fleetWith({ workers: [{ id: 'far', transport, slots: 2 }] })
      const run = await fleet.start({ name: 'x', tasks: [task('a', '[ "$FLOTILLA_TEST_REGION" = north ]'), task('b', 'exit 4')] })
      const { receipts } = await run.result()
      expect([receipts['a']?.result, receipts['b']?.result]).toEqual(['pass', 'fail'])
    } finally {
      delete process.env['FLOTILLA_TEST_REGION']
    }
  }, 20_000)

  test('HO5 says everything that is wrong with its options at once', async () => {
    const wrong = () =>
      reached({
        port: 0,
        user: 'a$b',
        workingDirectory: 'here',
        envAllowlist: ['API_KEY'],
        hostKeyFingerprint: 'x',
        plain: true,
        connectTimeoutMs: 5,
      })
    expect(wrong).toThrowError(expect.objectContaining({ code: 'invalid_option' }))
    for (const word of ['connectTimeoutMs', 'plain', 'API_KEY', 'port', 'user', 'workingDirectory', 'hostKeyFingerprint']) {
      expect(wrong).toThrowError(new RegExp(word))
    }
    expect(() => reached({ hostKeyFingerprint: undefined })).toThrowError(/no key of the host is pinned/)
    expect(() => reached({ command: ['worker'] })).toThrowError(/handlers/)
    expect(reached().kind).toBe('ssh')
  })
})
