import { describe, expect, test } from 'vitest'
import { openBench, task } from '../../support/bench-fleet.ts'
import { createTestTransport } from '../../support/test-transport.ts'
import type { Entry } from '../../../src/engine/entry.ts'
import { findingImpossible, refuseUnenforced } from '../../../src/fleet/check-run.ts'
import type { WorkerOptions } from '../../../src/fleet/options.ts'
import { workerOfSpec } from '../../../src/fleet/spec-workers.ts'
import type { HostPorts } from '../../../src/fleet/workers-of.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { systemEnvironment } from '../../../src/host/environment.ts'
import { FleetRunSpec } from '../../../src/protocol/run-spec.ts'
import { allAtOnce } from '../../../src/protocol/steps.ts'
import { someHost } from '../../fixtures/sandbox.ts'

const enforcing = { network: true, fileWrites: true, environment: true, processes: true }

/** Which workers take a task of a run: their ids. */
async function takers(
  workers: readonly Omit<WorkerOptions, 'transport'>[],
  more: Record<string, unknown>,
  spec: object = {},
): Promise<string[]> {
  const taken: string[] = []
  for (const worker of workers) {
    const transport = createTestTransport()
    const { fleet, clock } = await openBench({ workers: [{ ...worker, transport }] })
    await fleet.start({ name: 'r', tasks: [task('a', more)], ...spec })
    await clock.settle()
    if (transport.attempts.length > 0) taken.push(worker.id)
    await clock.settle()
  }
  return taken
}

describe('SC3', () => {
  test('SC3 a task that names a handler goes only to a worker that serves it', async () => {
    const one = createTestTransport({ serves: { handlers: ['write'], commands: false, plain: false } })
    const two = createTestTransport({ serves: { handlers: ['read'], commands: false, plain: true } })
    const { fleet, clock } = await openBench({
      workers: [
        { id: 'one', transport: one, slots: 4 },
        { id: 'two', transport: two, slots: 4 },
      ],
    })
    await fleet.start({
      name: 'r',
      tasks: [task('w', { handler: 'write' }), task('r', { handler: 'read' }), task('p'), task('n', { handler: 'nobody' })],
    })
    await clock.settle()
    expect(one.attempts.map((held) => held.assign.task_id)).toEqual(['w'])
    expect(two.attempts.map((held) => held.assign.task_id)).toEqual(['r', 'p'])
  })

  test('SC3 a task with metadata.command goes only to command workers, and they take nothing else', async () => {
    const commands = createTestTransport({ serves: { handlers: [], commands: true, plain: false } })
    const plain = createTestTransport()
    const { fleet, clock } = await openBench({
      workers: [
        { id: 'commands', transport: commands, slots: 4 },
        { id: 'plain', transport: plain, slots: 4 },
      ],
    })
    await fleet.start({
      name: 'r',
      tasks: [task('c', { metadata: { command: ['true'] } }), task('p'), task('h', { handler: 'work' })],
    })
    await clock.settle()
    expect(commands.attempts.map((held) => held.assign.task_id)).toEqual(['c'])
    expect(plain.attempts.map((held) => held.assign.task_id)).toEqual(['p', 'h'])
  })

  test('SC3 a worker must have all capabilities that a task asks for', async () => {
    const workers = [{ id: 'none' }, { id: 'one', capabilities: ['gpu'] }, { id: 'both', capabilities: ['cuda', 'gpu', 'more'] }]
    expect(await takers(workers, { worker: { capabilities: ['gpu', 'cuda'] } })).toEqual(['both'])
    expect(await takers(workers, {})).toEqual(['none', 'one', 'both'])
  })

  test('SC3 a worker that names roles serves only those; one that names none serves all', async () => {
    const workers = [
      { id: 'any' },
      { id: 'builder', roles: ['builder'] },
      { id: 'judge', roles: ['judge', 'builder'] },
      { id: 'scout', roles: ['scout'] },
    ]
    expect(await takers(workers, { worker: { role: 'builder' } })).toEqual(['any', 'builder', 'judge'])
    expect(await takers(workers, {})).toEqual(['any', 'builder', 'judge', 'scout'])
  })

  test('SC3 target this_computer and another_computer choose by where a worker is; cloud is refused', async () => {
    const local = createTestTransport()
    const remote = createTestTransport({ survives: true })
    const { fleet, clock } = await openBench({
      workers: [
        { id: 'local', transport: local, slots: 4 },
        { id: 'remote', transport: remote, slots: 4, trustLevel: 'operator' },
      ],
    })
    await fleet.start({ name: 'here', tasks: [task('h1'), task('h2')], target: 'this_computer' })
    await fleet.start({ name: 'there', tasks: [task('t1'), task('t2')], target: 'another_computer' })
    await clock.settle()
    expect(local.attempts.map((held) => held.assign.task_id)).toEqual(['h1', 'h2'])
    expect(remote.attempts.map((held) => held.assign.task_id)).toEqual(['t1', 't2'])
    await expect(fleet.create({ name: 'up', tasks: [task('c')], target: 'cloud' })).rejects.toMatchObject({
      code: 'unsupported_target',
    })
  })

  test('SC3 a run that brings its own workers is served by them alone', async () => {
    const { fleet, clock, transport } = await openBench()
    const worker = { id: 'mine', name: 'Mine', host: { kind: 'local' as const }, trust_level: 'local' as const }
    const run = await fleet.start({ name: 'r', tasks: [task('a')], worker_specs: [worker] })
    await clock.settle()
    expect(transport.attempts).toHaveLength(0)
    expect((await run.explain('a')).workers).toMatchObject([
      { id: 'w1', against: ['is not among the run’s workers'] },
      { id: 'mine', against: ['serves only tasks that name a handler or a command'] },
    ])
  })

  test('SC3 the same worker id with other facts in a second run is refused; with the same facts it is shared (W20)', async () => {
    const { fleet } = await openBench()
    const worker = { id: 'mine', name: 'Mine', host: { kind: 'local' as const }, trust_level: 'local' as const }
    await fleet.create({ name: 'one', tasks: [task('a')], worker_specs: [worker] })
    expect((await fleet.create({ name: 'two', tasks: [task('a')], worker_specs: [worker] })).created).toBe(true)
    const other = { ...worker, capabilities: ['gpu'] }
    await expect(fleet.create({ name: 'three', tasks: [task('a')], worker_specs: [other] })).rejects.toMatchObject({
      code: 'invalid_document',
    })
    const clash = { ...worker, id: 'w1' }
    await expect(fleet.create({ name: 'four', tasks: [task('a')], worker_specs: [clash] })).rejects.toMatchObject({
      code: 'invalid_document',
    })
    expect(fleet.workers().map((one) => one.id)).toEqual(['w1', 'mine'])
    expect(await fleet.runs()).toHaveLength(2)
  })

  test('SC3 impossible tasks are warned of at creation, and do not hold up the tasks behind them', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('never', { handler: 'nobody' }), task('a')] })
    expect(run.warnings).toEqual([expect.stringMatching(/tasks\[0\] \(never\).*does not serve the handler nobody/)])
    await clock.settle()
    expect(transport.attempts.map((held) => held.assign.task_id)).toEqual(['a'])
    expect((await fleet.create({ name: 'fine', tasks: [task('a')] })).warnings).toEqual([])
  })

  test('SC3 with no worker at all every task is warned of', async () => {
    const { fleet } = await openBench({ workers: [] })
    const run = await fleet.create({ name: 'r', tasks: [task('a')] })
    expect(run.warnings).toEqual([expect.stringContaining('no worker is registered')])
  })

  test('SC3 the profile of a task is handed to its worker as it is (M18, M38)', async () => {
    const { fleet, clock, transport } = await openBench()
    const worker = {
      role: 'builder',
      loadout: 'light',
      model_class: 'strong',
      model: 'm-1',
      tool_profile: 'editors',
      tools: ['edit'],
    }
    await fleet.start({ name: 'r', tasks: [task('a', { worker, objective: 'Build.', context: ['x'] })] })
    await clock.settle()
    expect(transport.attempt('a').assign.task).toMatchObject({ worker, objective: 'Build.', context: ['x'] })
  })
})

describe('SC3 what is handed over', () => {
  test('SC3 a task is handed to its worker whole: name, description, objective, instructions, context, input, tags, metadata', async () => {
    const { fleet, clock, transport } = await openBench()
    const told = {
      id: 'a',
      name: 'The name',
      description: 'More of it.',
      objective: 'Build.',
      instructions: 'Do it.',
      context: ['x'],
      tags: ['t'],
      handler: 'work',
      input: { q: [1] },
      metadata: { priority: 3, note: 'mine' },
    }
    await fleet.start({ name: 'r', tasks: [told] })
    await clock.settle()
    expect(transport.attempt('a').assign.task).toMatchObject(told)
    expect(transport.attempt('a').assign.task_id).toBe('a')
  })
})

describe('SC3 the workers of a run', () => {
  const mine = (more: object) => ({
    id: 'mine',
    name: 'Mine',
    host: { kind: 'local' as const },
    trust_level: 'local' as const,
    ...more,
  })
  const command = { metadata: { command: ['true'] } }

  /** What speaks against the run's own worker, and how many slots it has. */
  async function judged(spec: object, wanted: object) {
    const { fleet } = await openBench({ workers: [] })
    const run = await fleet.create({ name: 'r', tasks: [task('a', { ...command, worker: wanted })], worker_specs: [mine(spec)] })
    return { against: (await run.explain('a')).workers[0]?.against, slots: fleet.workers()[0]?.slots }
  }

  test('SC3 capabilities of a worker spec are what its worker has', async () => {
    const wanted = { capabilities: ['gpu'] }
    expect((await judged({ capabilities: ['gpu'] }, wanted)).against).toEqual([])
    expect((await judged({}, wanted)).against).toEqual(['lacks the capability gpu'])
  })

  test('SC3 labels.role of a worker spec names the roles that its worker serves', async () => {
    expect((await judged({ labels: { role: 'scout, builder' } }, { role: 'builder' })).against).toEqual([])
    expect((await judged({ labels: { role: 'scout' } }, { role: 'builder' })).against).toEqual([
      'does not serve the role builder',
    ])
    expect((await judged({ labels: { other: 'scout' } }, { role: 'builder' })).against).toEqual([])
  })

  test('SC1 max_concurrent_tasks of a worker spec is how many leases its worker takes, one by default', async () => {
    expect((await judged({ max_concurrent_tasks: 3 }, {})).slots).toBe(3)
    expect((await judged({}, {})).slots).toBe(1)
  })
})

describe('SE1', () => {
  const source = async (worker: Partial<WorkerOptions>, spec: object = {}): Promise<string | undefined> => {
    const transport = createTestTransport({ enforces: enforcing })
    const { fleet, clock } = await openBench({ workers: [{ id: 'w1', transport, ...worker }] })
    const run = await fleet.start({ name: 'r', tasks: [task('a')], ...spec })
    await clock.settle()
    transport.attempts[0]?.complete()
    await clock.settle()
    return (await run.receipt('a'))?.effective_permissions?.source
  }

  test('SE1 a worker that the application defines has local as its own level', async () => {
    expect(await source({})).toBe('trust level local')
  })

  test.each(['sandbox', 'local', 'remote_verified', 'operator'] as const)(
    'SE1 a worker of level %s runs at it and the receipt records it',
    async (trustLevel) => {
      expect(await source({ trustLevel })).toBe(`trust level ${trustLevel}`)
    },
  )

  test('SE1 the level is cut to max_trust_level, and never raised', async () => {
    expect(await source({ trustLevel: 'operator' }, { security_policy: { max_trust_level: 'local' } })).toBe('trust level local')
    expect(await source({ trustLevel: 'local' }, { security_policy: { max_trust_level: 'operator' } })).toBe('trust level local')
    expect(await source({ trustLevel: 'local' }, { security_policy: { default_trust_level: 'operator' } })).toBe(
      'trust level local',
    )
  })

  test('SE1 the terms of a lease are recorded with it: they hold although its worker comes back with another level', async () => {
    const transport = createTestTransport({ enforces: enforcing, survives: true, heartbeats: 'worker' })
    const worker = (trustLevel: 'sandbox' | 'operator') => ({ workers: [{ id: 'w1', transport, trustLevel }] })
    const first = await openBench(worker('sandbox'))
    const { id } = await first.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await first.clock.settle()
    const held = transport.attempt('a')
    held.accept()
    await first.clock.settle()
    first.store.crash()
    const { run_id, task_id, attempt } = held.assign
    transport.stillRuns = [{ run_id, task_id, attempt }]
    const second = await openBench({ ...worker('operator'), store: first.store, clock: first.clock })
    transport.say('w1', { type: 'result', run_id, task_id, attempt })
    await first.clock.settle()
    const run = await second.fleet.run(id)
    expect((await run.receipt('a'))?.effective_permissions).toMatchObject({ network: false, source: 'trust level sandbox' })
    // The next lease is one of the new level.
    transport.attempt('b').complete()
    await first.clock.settle()
    expect((await run.receipt('b'))?.effective_permissions?.source).toBe('trust level operator')
  })

  test('SE1 a lease at the usual level says nothing of its terms, and costs nothing', async () => {
    const lease = async (trustLevel: 'local' | 'sandbox') => {
      const transport = createTestTransport({ enforces: enforcing })
      const { fleet, clock, store } = await openBench({ workers: [{ id: 'w1', transport, trustLevel }] })
      const run = await fleet.start({ name: 'r', tasks: [task('a')] })
      await clock.settle()
      const entries = (await store.read(run.id, { from: 1, limit: 100 })) as unknown as Entry[]
      return entries.find((entry) => entry.set?.leasedAt != null)?.set
    }
    expect(await lease('local')).not.toHaveProperty('permissions')
    expect(await lease('sandbox')).toHaveProperty('permissions.source', 'trust level sandbox')
  })

  test('SE1 the policy is stored with the run, field by field (M39)', async () => {
    const { fleet } = await openBench()
    const security_policy = {
      default_trust_level: 'local',
      max_trust_level: 'remote_verified',
      require_identity_verification: true,
      allow_parallel_reads: true,
      capability_grants: [{ capability: 'network', reason: 'reads the manual' }],
    } as const
    const run = await fleet.create({ name: 'r', tasks: [task('a')], security_policy })
    expect((await run.spec()).security_policy).toMatchObject(security_policy)
  })

  test('SE1 what a policy says of parallel reads is handed to the worker', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    await fleet.start({ name: 'r', tasks: [task('a')], security_policy: { allow_parallel_reads: true } })
    await fleet.start({ name: 's', tasks: [task('b')] })
    await clock.settle()
    expect([transport.attempt('a').assign.allow_parallel_reads, transport.attempt('b').assign.allow_parallel_reads]).toEqual([
      true,
      false,
    ])
  })

  test('SE1 a remote worker without a verified identity stays at sandbox when the policy asks for verification (W41)', async () => {
    const verified = { security_policy: { require_identity_verification: true } }
    const remote = createTestTransport({ survives: true })
    const { fleet, clock } = await openBench({ workers: [{ id: 'far', transport: remote, trustLevel: 'operator' }] })
    const run = await fleet.start({ name: 'r', tasks: [task('a')], ...verified })
    await clock.settle()
    expect(remote.attempts).toHaveLength(0)
    expect((await run.explain('a')).workers[0]?.against).toEqual(['cannot enforce the trust level sandbox'])
    // The positive controls: without the wish, and for a worker on this computer.
    await fleet.start({ name: 's', tasks: [task('b')] })
    await clock.settle()
    expect(remote.attempts.map((held) => held.assign.task_id)).toEqual(['b'])
    expect(await source({}, verified)).toBe('trust level local')
  })
})

describe('SE2', () => {
  test('SE2 a lease at sandbox goes only to a worker whose transport enforces all of it', async () => {
    for (const missing of Object.keys(enforcing)) {
      const transport = createTestTransport({ enforces: { ...enforcing, [missing]: false } })
      const { fleet, clock } = await openBench({ workers: [{ id: 'w1', transport, trustLevel: 'sandbox' }] })
      const run = await fleet.start({ name: 'r', tasks: [task('a')] })
      await clock.settle()
      expect(transport.attempts).toHaveLength(0)
      expect(run.warnings[0]).toContain('cannot enforce the trust level sandbox')
    }
    const transport = createTestTransport({ enforces: enforcing })
    const { fleet, clock } = await openBench({ workers: [{ id: 'w1', transport, trustLevel: 'sandbox' }] })
    await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    expect(transport.attempts).toHaveLength(1)
  })

  test('SE2 a run whose ceiling is sandbox is refused as unenforceable, naming the field', async () => {
    const { fleet } = await openBench()
    await expect(
      fleet.create({ name: 'r', tasks: [task('a')], security_policy: { max_trust_level: 'sandbox' } }),
    ).rejects.toMatchObject({
      code: 'unenforceable',
      message: expect.stringContaining('security_policy.max_trust_level'),
      details: { problems: [{ path: 'security_policy.max_trust_level' }] },
    })
    expect(await fleet.runs()).toEqual([])
  })

  test('SE2 a worker from a file that would run at sandbox is refused where nothing confines it, naming the field; at local it is not', () => {
    const clock = systemClock()
    const environment = systemEnvironment()
    const host = { id: 'mine', name: 'Mine', host: { kind: 'local' as const } }
    const check = (worker: object, security_policy: object, probe: HostPorts['probe']): void => {
      const tasks = [task('a', { metadata: { command: ['true'] } })]
      const spec = FleetRunSpec.parse({ name: 'r', tasks, worker_specs: [{ ...host, ...worker }], security_policy })
      const workers = spec.worker_specs.map((one) => workerOfSpec(one, { clock, environment, probe }).facts)
      refuseUnenforced(spec, allAtOnce(findingImpossible(spec, workers)))
    }
    const none = () => ({ missing: 'bubblewrap is not installed' })
    const message = 'worker_specs[0].trust_level: mine cannot enforce the trust level sandbox: bubblewrap is not installed'
    for (const worker of [{}, { trust_level: 'sandbox' as const }]) {
      expect(() => check(worker, {}, none)).toThrow(
        expect.objectContaining({ code: 'unenforceable', message: expect.stringContaining(message) as string }),
      )
    }
    const cut = { max_trust_level: 'sandbox' as const }
    expect(() => check({ trust_level: 'local' }, cut, none)).toThrow('security_policy.max_trust_level: mine cannot enforce')
    // The positive controls: another level, and a machine that can.
    expect(() => check({ trust_level: 'local' }, {}, none)).not.toThrow()
    expect(() => check({}, { default_trust_level: 'local' }, none)).not.toThrow()
    expect(() => check({}, {}, () => ({ host: someHost }))).not.toThrow()
  })

  test('SE2 a function of this process is not registered at sandbox', async () => {
    await expect(openBench({ workers: [{ id: 'w1', run: () => null, trustLevel: 'sandbox' }] })).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining('workers[0].trustLevel'),
    })
  })

  test('SE2 every field that nothing here enforces is refused at once, each named', async () => {
    const { fleet } = await openBench()
    const secret = {
      security_policy: {
        allowed_secrets: [{ key: 'K' }],
        capability_grants: [{ capability: 'network', scope: 'example.org' }],
      },
    }
    const tasks = [task('a', { alert_policy: { channels: [] } }), task('b', { worker: { agent_profile: 'p' } })]
    const worker = { id: 'far', name: 'Far', host: { kind: 'ssh' as const, host: 'h' }, trust_level: 'local' as const }
    const error: { code?: string; message?: string } = await fleet
      .create({ name: 'r', tasks, ...secret, worker_specs: [worker] })
      .then(
        () => ({}),
        (refusal: { code: string; message: string }) => refusal,
      )
    expect(error.code).toBe('unenforceable')
    for (const path of [
      'security_policy.capability_grants[0].scope',
      'security_policy.allowed_secrets[0].key',
      'worker_specs[0].host',
      'tasks[1].worker.agent_profile',
    ]) {
      expect(error.message).toContain(`${path}: `)
    }
    expect(await fleet.runs()).toEqual([])
  })

  test('SE2 hosts that cannot be reached, and ways to prove who one is that nobody checks, are refused by name; a local one is taken', async () => {
    const { fleet } = await openBench()
    const spec = (id: string, more: object) => ({ id, name: id, host: { kind: 'local' }, trust_level: 'local', ...more })
    const local = { worker_specs: [spec('a', {}), spec('b', { auth: { method: 'none' } })] as never, tasks: [task('t')] }
    expect((await fleet.create({ name: 'near', ...local })).created).toBe(true)
    const far = [
      { host: { kind: 'ssh', host: 'h', port: 22, user: 'u', env_allowlist: ['A'] } },
      { host: { kind: 'docker', image: 'oci:/etc/image', args: ['--rm'] } },
      { auth: { method: 'ssh_key', identity: '/id' } },
      { host: { kind: 'docker', image: 'i' }, auth: { method: 'token', token_ref: 'T' } },
      { auth: { method: 'mtls', cert_path: '/c', key_ref: 'K' } },
    ]
    const worker_specs = far.map((more, index) => spec(`w${index}`, more)) as never
    const fields = ['host', 'host.image', 'auth', 'auth', 'auth'].map((field, index) => `worker_specs[${index}].${field}: `)
    await expect(fleet.create({ name: 'far', tasks: [task('t')], worker_specs })).rejects.toMatchObject({
      code: 'unenforceable',
      message: expect.stringMatching(new RegExp(fields.map((field) => field.replace(/[[\]]/g, '\\$&')).join('[^]*'))),
    })
    expect((await fleet.runs()).map(({ name }) => name)).toEqual(['near'])
  })

  test('SE2 a function is run at sandbox when the application says so in so many words, and its receipt says that nothing was enforced', async () => {
    const { fleet } = await openBench({ workers: [{ id: 'w1', run: () => 1, trustLevel: 'sandbox', runsUnenforced: true }] })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await run.result()
    expect((await run.receipt('a'))?.effective_permissions).toMatchObject({
      write: true,
      network: true,
      shell: 'full',
      background: true,
      source: 'trust level sandbox, of which nothing was enforced',
    })
  })

  test('SE2 a worker that runs what it cannot enforce takes a run whose ceiling is sandbox; one that does not say so takes none', async () => {
    const ceiling = { security_policy: { max_trust_level: 'sandbox' as const } }
    const { fleet } = await openBench({ workers: [{ id: 'w1', run: () => 1, runsUnenforced: true }] })
    const run = await fleet.start({ name: 'r', tasks: [task('a')], ...ceiling })
    expect((await run.result()).status).toBe('completed')
    const plain = await openBench({ workers: [{ id: 'w1', run: () => 1 }] })
    await expect(plain.fleet.create({ name: 'r', tasks: [task('a')], ...ceiling })).rejects.toMatchObject({
      code: 'unenforceable',
    })
  })
})

describe('SE4', () => {
  const confined = async (capability_grants: object[], enforces: Partial<typeof enforcing> = {}) => {
    const transport = createTestTransport({ enforces: { ...enforcing, ...enforces } })
    const { fleet, clock } = await openBench({ workers: [{ id: 'w1', transport, trustLevel: 'sandbox' }] })
    const run = await fleet.start({ name: 'r', tasks: [task('a')], security_policy: { capability_grants } } as never)
    await clock.settle()
    const assign = transport.attempts[0]?.assign
    transport.attempts[0]?.complete()
    await clock.settle()
    return { assign, permissions: (await run.receipt('a'))?.effective_permissions }
  }

  test('SE4 an attempt at sandbox is told what it is held to, and its receipt says what was enforced', async () => {
    const { assign, permissions } = await confined([])
    expect(assign).toMatchObject({ trust_level: 'sandbox', confined: { network: false, writable_paths: [] } })
    expect(permissions).toMatchObject({
      write: false,
      network: false,
      shell: 'read_only',
      tool_scope: 'inherit',
      tools: [],
      background: false,
      max_spawn_depth: 0,
      source: 'trust level sandbox',
    })
  })

  test('SE4 grants add the network, and paths of the workspace', async () => {
    const grants = [
      { capability: 'network' },
      { capability: 'workspace-write', scope: './out/' },
      { capability: 'workspace-write', scope: 'src' },
    ]
    const { assign, permissions } = await confined(grants)
    expect(assign?.confined).toEqual({ network: true, writable_paths: ['out', 'src'] })
    expect(permissions).toMatchObject({
      write: true,
      network: true,
      source: 'trust level sandbox with network, workspace-write out, workspace-write src',
    })
  })

  test('SE4 who cannot keep work from the network may run what was granted it, and nothing else', async () => {
    expect((await confined([{ capability: 'network' }], { network: false })).assign).toBeDefined()
    expect((await confined([], { network: false })).assign).toBeUndefined()
    expect((await confined([{ capability: 'network' }], { fileWrites: false })).assign).toBeUndefined()
  })

  test('WS4 a task gets those of its writable_paths that were granted; one that names others is not run at sandbox, and told why', async () => {
    const transport = createTestTransport({ enforces: enforcing })
    const { fleet, clock } = await openBench({ workers: [{ id: 'w1', transport, trustLevel: 'sandbox', slots: 4 }] })
    const writing = (id: string, ...writable_paths: string[]) => task(id, { workspace: { writable_paths } })
    const run = await fleet.start({
      name: 'r',
      tasks: [writing('narrow', 'out/a'), writing('other', 'src'), writing('both', 'out/b', 'src')],
      security_policy: { capability_grants: [{ capability: 'workspace-write', scope: 'out' }] },
    })
    await clock.settle()
    expect(transport.attempts.map(({ assign }) => [assign.task_id, assign.confined?.writable_paths])).toEqual([
      ['narrow', ['out/a']],
    ])
    for (const id of ['other', 'both'])
      expect((await run.explain(id)).workers[0]?.against).toEqual([
        'may not let it write its writable_paths at the trust level sandbox: grant workspace-write for them',
      ])
  })

  test('SE4 a grant adds nothing to a level that has it already', async () => {
    const transport = createTestTransport()
    const { fleet, clock } = await openBench({ workers: [{ id: 'w1', transport }] })
    await fleet.start({ name: 'r', tasks: [task('a')], security_policy: { capability_grants: [{ capability: 'network' }] } })
    await clock.settle()
    expect(transport.attempts[0]?.assign).toMatchObject({ trust_level: 'local' })
    expect(transport.attempts[0]?.assign).not.toHaveProperty('confined')
  })
})
