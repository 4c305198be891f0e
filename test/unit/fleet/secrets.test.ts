import { describe, expect, test } from 'vitest'
import type { SecretSource } from '../../../src/ports/secrets.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { journalOf } from '../../support/journal.ts'
import type { MemoryStore } from '../../../src/store/memory.ts'
import { createTestTransport } from '../../support/test-transport.ts'

const vault = (values: Readonly<Record<string, string>>, source = 'vault'): SecretSource => ({
  source,
  resolve: (key) => values[key],
})
const allowing = (...allowed_secrets: (string | { key: string; source?: string })[]) => ({
  security_policy: { default_trust_level: 'local' as const, allowed_secrets },
})
const value = 'hunter22-hunter22'
const journalText = async (store: MemoryStore, run: string): Promise<string> => JSON.stringify(await journalOf(store, run))

describe('handing secrets over', () => {
  test('SE5 an attempt gets the secrets that its run allows, and no others', async () => {
    const bench = await openBench({ secrets: vault({ API_KEY: value, OTHER: 'not-asked-for' }) })
    await bench.fleet.start({ name: 'r', ...allowing('API_KEY'), tasks: [task('a')] })
    await bench.clock.settle()
    expect(bench.transport.attempt('a').assign.secrets).toEqual({ API_KEY: value })
  })

  test('SE5 an attempt of a run that allows none has no secrets at all, and no source is asked', async () => {
    const asked: string[] = []
    const bench = await openBench({ secrets: { source: 'vault', resolve: (key) => void asked.push(key) as undefined } })
    await bench.fleet.start({ name: 'r', tasks: [task('a')] })
    await bench.clock.settle()
    expect(bench.transport.attempt('a').assign).not.toHaveProperty('secrets')
    expect(asked).toEqual([])
  })

  test('SE5 a worker at sandbox gets none, and its attempt runs without; one at local gets them (control)', async () => {
    const enforces = { network: true, fileWrites: true, environment: true, processes: true }
    const transport = createTestTransport({ enforces })
    const asked: string[] = []
    const bench = await openBench({
      secrets: {
        source: 'vault',
        resolve(key) {
          asked.push(key)
          return value
        },
      },
      transport,
      workers: [
        { id: 'low', transport, trustLevel: 'sandbox', capabilities: ['low'] },
        { id: 'high', transport, trustLevel: 'local', capabilities: ['high'] },
      ],
    })
    await bench.fleet.start({
      name: 'r',
      ...allowing('API_KEY'),
      tasks: [task('a', { worker: { capabilities: ['low'] } }), task('b', { worker: { capabilities: ['high'] } })],
    })
    await bench.clock.settle()
    expect(transport.attempt('a').assign).not.toHaveProperty('secrets')
    expect(transport.attempt('b').assign.secrets).toEqual({ API_KEY: value })
    expect(asked).toEqual(['API_KEY'])
  })

  test('SE5 each attempt asks anew: a secret that was rotated comes in its new form, and both are redacted', async () => {
    let rotation = 0
    const bench = await openBench({ secrets: { source: 'vault', resolve: () => `rotated-${(rotation += 1)}-value` } })
    const run = await bench.fleet.start({ name: 'r', ...allowing('KEY'), tasks: [task('a')] })
    await bench.clock.settle()
    bench.transport.attempt('a').accept()
    bench.transport.attempt('a').fail('no rotated-1-value here')
    await bench.clock.settle()
    await bench.clock.advance(10_000)
    expect(bench.transport.attempt('a').assign.secrets).toEqual({ KEY: 'rotated-2-value' })
    expect(bench.transport.attempt('a').assign.previous[0]?.evidence).toBe('no <secret:KEY> here')
    bench.transport.attempt('a').complete({ output: 'rotated-1-value and rotated-2-value' })
    await bench.clock.settle()
    expect((await run.receipts('a')).at(-1)?.output).toBe('<secret:KEY> and <secret:KEY>')
  })
})

describe('secrets that cannot be resolved', () => {
  test.each<[string, SecretSource['resolve'], string]>([
    ['is nowhere', () => undefined, 'it is not in vault.'],
    ['is too short', () => 'abc', 'its value has 3 bytes; what is shorter than 4 cannot be redacted safely.'],
    ['is empty', () => '  ', 'its value is empty.'],
    ['is no text', () => 42 as unknown as string, 'the source vault gave no text.'],
    ['makes its source throw', () => Promise.reject(new TypeError(`no ${value} for you`)), 'its source threw TypeError.'],
  ])('SE5 one that %s fails the attempt for good, named and not valued', async (_, resolve, why) => {
    const bench = await openBench({ secrets: { source: 'vault', resolve } })
    const run = await bench.fleet.start({ name: 'r', ...allowing({ key: 'KEY', source: 'vault' }, 'OTHER'), tasks: [task('a')] })
    await bench.clock.settle()
    const [receipt, ...more] = await run.receipts('a')
    expect(more).toEqual([])
    expect(receipt).toMatchObject({ result: 'fail', failure_kind: 'task' })
    expect(receipt?.evidence).toBe(
      `The secret <secret:vault.KEY> cannot be resolved: ${why}\nThe secret <secret:OTHER> cannot be resolved: ${why}`,
    )
    expect(bench.transport.attempts).toEqual([])
    expect(await run.task('a')).toMatchObject({ status: 'failed', attempt: 1 })
  })

  test('SE5 a source that does not answer is not waited for longer than the limit', async () => {
    const bench = await openBench({
      secrets: { source: 'vault', resolve: () => new Promise(() => undefined) },
      limits: { secretTimeoutMs: 5_000 },
    })
    const run = await bench.fleet.start({ name: 'r', ...allowing('KEY'), tasks: [task('a')] })
    await bench.clock.settle()
    await bench.clock.advance(4_999)
    expect((await run.task('a')).status).toBe('starting')
    await bench.clock.advance(1)
    expect((await run.receipts('a'))[0]?.evidence).toBe('The secret <secret:KEY> cannot be resolved: it took too long.')
  })

  test('CO8 a source that does not answer does not hold up the end of the fleet', async () => {
    const bench = await openBench({ secrets: { source: 'vault', resolve: () => new Promise(() => undefined) } })
    await bench.fleet.start({ name: 'r', ...allowing('KEY'), tasks: [task('a')] })
    await bench.clock.settle()
    const closing = bench.fleet.close({ graceMs: 0 })
    await bench.clock.advance(1)
    await closing
    expect(bench.transport.attempts).toEqual([])
  })

  test('CO6 an attempt whose lease is gone while its secrets are resolved is not started', async () => {
    let give: (value: string) => void = () => undefined
    const bench = await openBench({ secrets: { source: 'vault', resolve: () => new Promise((resolve) => (give = resolve)) } })
    const run = await bench.fleet.start({ name: 'r', ...allowing('KEY'), tasks: [task('a')] })
    await bench.clock.settle()
    await run.cancel({ by: 'ada' })
    give(value)
    await bench.clock.settle()
    expect(bench.transport.attempts).toEqual([])
    expect((await run.task('a')).status).toBe('cancelled')
  })
})

describe('secrets that could never be handed over', () => {
  const command = task('c', { metadata: { command: ['true'] } })
  test.each<[string, SecretSource | undefined, object, object[], string, string]>([
    [
      'no source is given',
      undefined,
      allowing('KEY'),
      [task('a')],
      'security_policy.allowed_secrets[0].key',
      'no source of secrets is given',
    ],
    [
      'keyring has no source',
      vault({}),
      allowing('A_KEY', { key: 'KEY', source: 'keyring' }),
      [task('a')],
      'security_policy.allowed_secrets[1].source',
      'no source "keyring" is given; pass one in `secrets`, or name vault',
    ],
    [
      'the source is unknown',
      vault({}),
      allowing({ key: 'KEY', source: 'moon' }),
      [task('a')],
      'security_policy.allowed_secrets[0].source',
      'no source "moon" is given',
    ],
    [
      'two have one key',
      vault({}),
      allowing('KEY', { key: 'KEY', source: 'vault' }),
      [task('a')],
      'security_policy.allowed_secrets[1].key',
      'another one has this key',
    ],
    [
      'a command cannot get it',
      vault({}),
      allowing('my-key'),
      [task('a'), command],
      'security_policy.allowed_secrets[0].key',
      'cannot be the name of an environment variable, and the task c is a command',
    ],
    [
      'nobody may have it',
      vault({}),
      { security_policy: { max_trust_level: 'sandbox', allowed_secrets: ['KEY'] } },
      [task('a')],
      'security_policy.allowed_secrets',
      'nobody may have them',
    ],
  ])('SE5 %s: the run is refused as unenforceable, with the path', async (_, secrets, policy, tasks, path, reason) => {
    const bench = await openBench(secrets === undefined ? {} : { secrets })
    const refused = bench.fleet.start({ name: 'r', ...policy, tasks: tasks as never })
    await expect(refused).rejects.toMatchObject({
      code: 'unenforceable',
      details: { problems: expect.arrayContaining([{ path, reason: expect.stringContaining(reason) }]) },
    })
    expect(await bench.fleet.runs()).toEqual([])
  })

  test.each([
    'PATH',
    'LD_PRELOAD',
    'NODE_OPTIONS',
    'FLOTILLA_TASK',
    'BASH_ENV',
    'https_proxy',
    'DYLD_INSERT_LIBRARIES',
    'GIT_SSH_COMMAND',
    '1KEY',
    'A=B',
    '',
  ])('SE6 a command does not get a secret as the variable %j', async (key) => {
    const bench = await openBench({ secrets: vault({}) })
    const refused = bench.fleet.start({ name: 'r', ...allowing(key), tasks: [command] })
    await expect(refused).rejects.toMatchObject({ code: key === '' ? 'invalid_document' : 'unenforceable' })
  })

  test.each(['API_KEY', 'GITHUB_TOKEN', 'NODE_AUTH_TOKEN', 'PGPASSWORD', '_x', 'AWS_SECRET_ACCESS_KEY'])(
    'SE6 a command gets a secret as the variable %s (control)',
    async (key) => {
      const bench = await openBench({ secrets: vault({ [key]: value }) })
      expect((await bench.fleet.start({ name: 'r', ...allowing(key), tasks: [command] })).warnings).toHaveLength(1)
    },
  )

  test('SE5 what is no source is refused with the option named', async () => {
    const bad = [{ source: 'x' }, { source: '', resolve: () => undefined }, 'env'] as unknown as SecretSource[]
    await expect(openBench({ secrets: bad })).rejects.toMatchObject({
      code: 'invalid_option',
      details: { problems: [0, 1, 2].map((index) => expect.stringContaining(`secrets[${index}]`)) },
    })
  })
})

describe('what workers say of secrets', () => {
  test('SE5 a log is redacted over its messages, whatever comes between', async () => {
    const bench = await openBench({ secrets: vault({ KEY: value }) })
    const run = await bench.fleet.start({ name: 'r', ...allowing('KEY'), tasks: [task('a')] })
    await bench.clock.settle()
    const attempt = bench.transport.attempt('a')
    attempt.accept()
    for (const text of ['it is hunter', '22-hun', 'ter22 now', '\nand hunter2']) {
      attempt.send({ type: 'log', text } as never)
      attempt.heartbeat()
      await bench.clock.settle()
    }
    attempt.complete()
    await bench.clock.settle()
    expect(new TextDecoder().decode((await run.log('a'))?.bytes)).toBe('it is <secret:KEY> now\nand hunter2')
  })

  test('SE5 a log goes on when another secret comes into use in the middle of it', async () => {
    const bench = await openBench({ secrets: vault({ ONE: 'the-first-secret', TWO: 'the-second-secret' }), slots: 2 })
    const one = await bench.fleet.start({ name: 'one', ...allowing('ONE'), tasks: [task('a')] })
    await bench.clock.settle()
    bench.transport.attempt('a').accept()
    bench.transport.attempt('a').send({ type: 'log', text: 'see the-f' } as never)
    await bench.clock.settle()
    await bench.fleet.start({ name: 'two', ...allowing('TWO'), tasks: [task('b')] })
    await bench.clock.settle()
    bench.transport.attempt('a').send({ type: 'log', text: 'irst-secret, the-second-secret' } as never)
    bench.transport.attempt('a').complete()
    await bench.clock.settle()
    expect(new TextDecoder().decode((await one.log('a'))?.bytes)).toBe('see <secret:ONE>, <secret:TWO>')
  })

  test('SE5 fields that the protocol does not know are redacted with the event that they are kept in', async () => {
    const bench = await openBench({ secrets: vault({ KEY: value, TOOL: 'tool' }) })
    const run = await bench.fleet.start({ name: 'r', ...allowing('KEY', 'TOOL'), tasks: [task('a')] })
    await bench.clock.settle()
    const attempt = bench.transport.attempt('a')
    attempt.send({ type: 'accepted', process: { group: 1, started: value, more: value } } as never)
    attempt.send({ type: 'progress', event: { state: 'running_tool', tool: 'x', [value]: { deep: value } } } as never)
    attempt.complete()
    await bench.clock.settle()
    const journal = await journalText(bench.store, run.id)
    expect(journal).not.toContain(value)
    expect(journal).toContain('{"state":"running_tool","tool":"x","<secret:KEY>":{"deep":"<secret:KEY>"}}')
  })

  test('SE5 why a worker was lost is redacted, and so is the incarnation that it claims', async () => {
    const bench = await openBench({ secrets: vault({ KEY: value }) })
    const run = await bench.fleet.start({
      name: 'r',
      ...allowing('KEY'),
      tasks: [task('a', { retry_policy: { max_attempts: 1 } })],
    })
    await bench.clock.settle()
    bench.transport.attempt('a').accept()
    await bench.clock.settle()
    bench.transport.say('w1', {
      type: 'hello',
      worker_id: 'w1',
      incarnation: value,
      attempts: [bench.transport.attempt('a').assign],
    })
    await bench.clock.settle()
    bench.transport.drop('w1', `the host said ${value}`)
    await bench.clock.settle()
    expect((await run.receipts('a'))[0]?.evidence).toContain('the host said <secret:KEY>')
    for (const id of [run.id, 'fleet']) expect(await journalText(bench.store, id)).not.toContain(value)
  })

  test('SE5 an attempt that was cancelled, and one whose end came late, are still redacted', async () => {
    const bench = await openBench({ secrets: vault({ KEY: value }) })
    const run = await bench.fleet.start({ name: 'r', ...allowing('KEY'), tasks: [task('a')] })
    await bench.clock.settle()
    const attempt = bench.transport.attempt('a')
    attempt.accept()
    await bench.clock.settle()
    await run.cancel({ by: 'ada' })
    attempt.send({ type: 'log', text: `late ${value}\n` } as never)
    attempt.send({ type: 'artifact', report: 1, kind: value, path: `x/${value}`, bytes: Uint8Array.of(1) } as never)
    await bench.clock.settle()
    attempt.confirm()
    await bench.clock.settle()
    expect(await run.artifacts()).toMatchObject([
      { artifact: { kind: '<secret:KEY>', path: 'x/<secret:KEY>' } },
      { artifact: { kind: 'log' } },
    ])
    expect(new TextDecoder().decode((await run.log('a'))?.bytes)).toBe('late <secret:KEY>\n')
    expect(await journalText(bench.store, run.id)).not.toContain(value)
  })

  test('SE5 what an attempt of an earlier fleet still says is redacted by the next one', async () => {
    const transport = createTestTransport({ survives: true })
    const first = await openBench({ transport, secrets: vault({ KEY: value }) })
    const run = await first.fleet.start({ name: 'r', ...allowing('KEY'), tasks: [task('a')] })
    await first.clock.settle()
    transport.attempt('a').accept()
    await first.clock.settle()
    const again = createTestTransport({ survives: true })
    const store = first.store.peer()
    first.store.crash()
    again.stillRuns = [transport.attempt('a').assign]
    const second = await openBench({
      clock: first.clock,
      store,
      seed: 'second',
      transport: again,
      secrets: vault({ KEY: value }),
    })
    await second.clock.settle()
    const { run_id, task_id, attempt } = transport.attempt('a').assign
    again.say('w1', { type: 'result', run_id, task_id, attempt, output: `it was ${value}` })
    await second.clock.settle()
    const [receipt] = await (await second.fleet.run(run.id)).receipts('a')
    expect(receipt?.output).toBe('it was <secret:KEY>')
  })
})
