import { describe, expect, test } from 'vitest'
import { openBench, task } from '../../support/bench-fleet.ts'
import { journalOf } from '../../support/journal.ts'
import { createTestFleet, openRecording, replay, script, worker } from '../../../src/testing/index.ts'
import { createTestTransport } from '../../support/test-transport.ts'

const profiles = {
  careful: { role: 'reviewer', model: 'maker/m-1', model_class: 'strong', tools: ['read', 'grep'], instructions: 'Look twice.' },
  eager: { trust_level: 'operator' as const },
}
const careful = task('a', { worker: { agent_profile: 'careful', loadout: 'fast' } })
const route = { provider_id: 'maker', provider_kind: 'http', protocol: 'chat', reasoning_effort: 'high' }
const key = (run_id: string) => ({ run_id, task_id: 'a', attempt: 1 })

describe('what a worker gets', () => {
  test('SC3 the worker is handed what applies: its task’s own fields over its profile, the preset of its role, and its run', async () => {
    const { fleet, clock, transport } = await openBench({ profiles })
    await fleet.start({ name: 'r', tasks: [careful], worker_defaults: { tool_profile: 'editors', loadout: 'slow' } })
    await clock.settle()
    const { worker, timeout_seconds } = transport.attempt('a').assign.task
    expect(worker).toMatchObject({
      agent_profile: 'careful',
      role: 'reviewer',
      loadout: 'fast',
      model: 'maker/m-1',
      tool_profile: 'read-only',
      tools: ['read', 'grep'],
      instructions: 'Look twice.',
    })
    expect(timeout_seconds).toBe(600)
  })

  test('SC3 a role of the fleet’s own takes the place of the built-in one', async () => {
    const { fleet, clock, transport } = await openBench({ roles: { reviewer: { model: 'm-9' } } })
    await fleet.start({ name: 'r', tasks: [task('a', { worker: { role: 'reviewer' } })] })
    await clock.settle()
    expect(transport.attempt('a').assign.task.worker).toMatchObject({ role: 'reviewer', model: 'm-9' })
    expect(transport.attempt('a').assign.task.worker?.tool_profile).toBeUndefined()
  })

  test('SC3 the role and the capabilities of a profile choose the worker', async () => {
    const one = createTestTransport()
    const two = createTestTransport()
    const { fleet, clock } = await openBench({
      profiles: { careful: { role: 'judge', capabilities: ['git'] } },
      workers: [
        { id: 'one', transport: one, roles: ['cook'], capabilities: ['git'] },
        { id: 'two', transport: two, roles: ['judge'], capabilities: ['git'] },
      ],
    })
    await fleet.start({ name: 'r', tasks: [task('a', { worker: { agent_profile: 'careful' } })] })
    await clock.settle()
    expect([one.attempts.length, two.attempts.length]).toEqual([0, 1])
  })

  test('SE1 the level of a preset holds the work to it, and raises none', async () => {
    const enforces = { network: true, fileWrites: true, environment: true, processes: true }
    const levelOf = async (role: string, trustLevel: 'sandbox' | 'operator') => {
      const transport = createTestTransport({ enforces })
      const { fleet, clock } = await openBench({ workers: [{ id: 'w1', transport, trustLevel }] })
      await fleet.start({ name: 'r', tasks: [task('a', { worker: { role } })] })
      await clock.settle()
      return transport.attempt('a').assign.trust_level
    }
    expect(await levelOf('read-only', 'operator')).toBe('sandbox')
    expect(await levelOf('builder', 'operator')).toBe('local')
    expect(await levelOf('builder', 'sandbox')).toBe('sandbox')
    expect(await levelOf('nobody-knows', 'operator')).toBe('operator')
  })

  test('SC3 tasks that are added are merged like those of a creation, with the defaults of their run', async () => {
    const { fleet, clock, transport } = await openBench({ profiles, slots: 2 })
    const run = await fleet.start({ name: 'r', open: true, tasks: [], worker_defaults: { loadout: 'slow' } })
    await run.add([task('b', { worker: { agent_profile: 'careful' } }), task('c')])
    await clock.settle()
    expect(transport.attempt('b').assign.task.worker).toMatchObject({ model: 'maker/m-1', loadout: 'slow' })
    expect(transport.attempt('c').assign.task.worker).toMatchObject({ loadout: 'slow' })
    await expect(run.add([task('d', { worker: { agent_profile: 'nobody' } })])).rejects.toMatchObject({
      code: 'unenforceable',
      message: expect.stringContaining('tasks[0].worker.agent_profile: no agent profile "nobody" is registered'),
    })
  })
})

describe('what is refused', () => {
  test('SC3 an unknown profile is refused at creation with its field and the ones that there are; nothing is stored', async () => {
    const { fleet } = await openBench({ profiles })
    await expect(
      fleet.create({ name: 'r', tasks: [careful, task('b', { worker: { agent_profile: 'nobody' } })] }),
    ).rejects.toMatchObject({
      code: 'unenforceable',
      message: expect.stringMatching(
        /tasks\[1\]\.worker\.agent_profile: no agent profile "nobody" is registered; there are .*careful/,
      ),
      details: { problems: [{ path: 'tasks[1].worker.agent_profile' }] },
    })
    expect(await fleet.runs()).toEqual([])
    await expect(fleet.create({ name: 'r', tasks: [careful] })).resolves.toBeDefined()
  })

  test('SE1 a profile or a role that would widen the policy is refused at creation with its field; within the policy it is not', async () => {
    const { fleet } = await openBench({ profiles, slots: 2 })
    const tasks = [task('a', { worker: { agent_profile: 'eager' } }), task('b', { worker: { role: 'builder' } })]
    const withMost = (max_trust_level: 'sandbox' | 'local' | 'operator', asked = tasks) =>
      fleet.create({ name: 'r', tasks: asked, security_policy: { max_trust_level } })
    await expect(withMost('sandbox')).rejects.toMatchObject({
      code: 'unenforceable',
      details: { problems: [{ path: 'tasks[0].worker.agent_profile' }, { path: 'tasks[1].worker.role' }] },
    })
    await expect(withMost('local')).rejects.toMatchObject({ details: { problems: [{ path: 'tasks[0].worker.agent_profile' }] } })
    await expect(withMost('operator')).resolves.toMatchObject({ warnings: [] })
    await expect(withMost('local', tasks.slice(1))).resolves.toMatchObject({ warnings: [] })
  })

  test('SE1 what the run’s defaults ask for is told once, and not for each of its tasks', async () => {
    const { fleet } = await openBench({ profiles })
    const asked = { name: 'r', tasks: [task('a'), task('b')], worker_defaults: { agent_profile: 'eager' } }
    await expect(fleet.create({ ...asked, security_policy: { max_trust_level: 'local' } })).rejects.toMatchObject({
      details: { problems: [{ path: 'worker_defaults.agent_profile' }] },
    })
    await expect(fleet.create(asked)).resolves.toBeDefined()
  })

  test('SE2 a role whose level nobody here can enforce is refused at creation with its field; one that needs no sandbox is not', async () => {
    const { fleet } = await openBench({ workers: [{ id: 'w1', run: () => 1 }] })
    await expect(fleet.create({ name: 'r', tasks: [task('a', { worker: { role: 'read-only' } })] })).rejects.toMatchObject({
      code: 'unenforceable',
      details: { problems: [{ path: 'tasks[0].worker.role' }] },
    })
    await expect(
      fleet.create({ name: 'r', tasks: [task('a', { worker: { agent_profile: 'read-only' } })] }),
    ).rejects.toMatchObject({ details: { problems: [{ path: 'tasks[0].worker.agent_profile' }] } })
    await expect(fleet.create({ name: 'r', tasks: [task('a', { worker: { role: 'reviewer' } })] })).resolves.toBeDefined()
  })

  test('SE4 profiles and presets are checked when a fleet is opened: what would grant something is no field of theirs', async () => {
    const wrong = {
      profiles: {
        p: { network: true, capability_grants: [], allowed_secrets: ['K'], model: 'sk-abcdefgh12345678' },
        'a b': {},
      },
      roles: { r: { trust_level: 'root', tools: ['x', 'x'] }, s: 'text' },
    }
    const refusal: Error = await openBench(wrong as never).then(
      () => new Error('opened'),
      (error: Error) => error,
    )
    expect(refusal).toMatchObject({ code: 'invalid_option' })
    for (const place of [
      'profiles.p.network: expected nothing',
      'profiles.p.capability_grants: expected nothing',
      'profiles.p.allowed_secrets: expected nothing',
      'profiles.p.model: expected text that holds no credential, got a text of 19 characters',
      'profiles["a b"]: ',
      'roles.r.trust_level: expected one of',
      'roles.r.tools[1]: expected each item once',
      'roles.s: expected an object',
    ]) {
      expect(refusal.message).toContain(place)
    }
    expect(refusal.message).not.toContain('abcdefgh')
  })
})

describe('what receipts say', () => {
  test('VE6 a receipt says what applied and where each value came from: task, profile, role preset, run', async () => {
    const { fleet, clock, transport } = await openBench({ profiles })
    const run = await fleet.start({ name: 'r', tasks: [careful], worker_defaults: { capabilities: [], trust_level: 'local' } })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    expect((await run.receipt('a'))?.profile).toEqual({
      profile_id: 'careful',
      profile_origin: 'fleet',
      role: 'reviewer',
      loadout: 'fast',
      model_class: 'strong',
      model: 'maker/m-1',
      tool_profile: 'read-only',
      trust_level: 'local',
      sources: {
        agent_profile: 'task.agent_profile',
        role: 'agent_profile.role',
        loadout: 'task.loadout',
        model_class: 'agent_profile.model_class',
        model: 'agent_profile.model',
        tool_profile: 'role_preset.tool_profile',
        tools: 'agent_profile.tools',
        instructions: 'agent_profile.instructions',
        trust_level: 'run.trust_level',
        timeout_seconds: 'role_preset.timeout_seconds',
      },
    })
  })

  test('SC3 effective_permissions name the profile, who gave it, and the tools; without any they say nothing of them', async () => {
    const { fleet, clock, transport } = await openBench({ profiles, slots: 3 })
    const run = await fleet.start({
      name: 'r',
      tasks: [careful, task('b', { worker: { agent_profile: 'reviewer' } }), task('c')],
    })
    await clock.settle()
    for (const attempt of transport.attempts) attempt.complete()
    await clock.settle()
    const permissions = async (id: string) => (await run.receipt(id))?.effective_permissions
    expect(await permissions('a')).toMatchObject({
      tool_scope: 'explicit',
      tools: ['read', 'grep'],
      profile_id: 'careful',
      profile_origin: 'fleet',
    })
    expect(await permissions('b')).toMatchObject({ tool_scope: 'inherit', profile_id: 'reviewer', profile_origin: 'built-in' })
    expect(await permissions('c')).toMatchObject({ tool_scope: 'inherit', tools: [] })
    expect(await permissions('c')).not.toHaveProperty('profile_id')
    expect(await run.receipt('c')).not.toHaveProperty('profile')
  })

  test('SC3 a task of no profile has itself for the source of all that it says', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a', { worker: { role: 'cook', model: 'm-1' } })] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    expect((await run.receipt('a'))?.profile).toEqual({
      role: 'cook',
      model: 'm-1',
      sources: { role: 'task.role', model: 'task.model' },
    })
  })

  test('VE6 a fleet with other profiles changes nothing of what applied to a run that there is', async () => {
    const first = await openBench({ profiles })
    const run = await first.fleet.start({ name: 'r', tasks: [careful] })
    await first.clock.settle()
    await first.fleet.close({ graceMs: 0 })
    const second = await openBench({
      store: first.store,
      clock: first.clock,
      seed: 'second',
      profiles: { careful: { model: 'other' } },
    })
    await second.clock.settle()
    const attempt = second.transport.attempt('a')
    expect(attempt.assign.task.worker).toMatchObject({ model: 'maker/m-1', role: 'reviewer' })
    attempt.complete()
    await second.clock.settle()
    const receipt = await (await second.fleet.run(run.id)).receipt('a')
    expect(receipt?.profile).toMatchObject({ model: 'maker/m-1', sources: { model: 'agent_profile.model' } })
    expect(receipt?.effective_permissions).toMatchObject({ profile_id: 'careful', tools: ['read', 'grep'] })
  })

  test('RU2 the same spec with the same key is the same run, whatever its profiles say meanwhile', async () => {
    const first = await openBench({ profiles })
    const run = await first.fleet.create({ name: 'r', tasks: [careful] }, { idempotencyKey: 'k' })
    await first.fleet.close()
    const second = await openBench({
      store: first.store,
      clock: first.clock,
      seed: 'second',
      profiles: { careful: { model: 'other' } },
    })
    const again = await second.fleet.create({ name: 'r', tasks: [careful] }, { idempotencyKey: 'k' })
    expect([again.id, again.created]).toEqual([run.id, false])
  })
})

describe('recordings', () => {
  test('CO2 a recording holds the profiles that its fleet was opened with, so its creations are decided again the same', async () => {
    await using fleet = await createTestFleet({
      record: true,
      profiles,
      workers: [worker('w1').otherwise(script().after('2s').complete())],
    })
    const run = await fleet.start({ id: 'r', name: 'r', tasks: [careful] })
    await fleet.until(run.result())
    await fleet.close()
    const recording = await openRecording(await fleet.recording())
    expect(JSON.stringify(recording.steps)).toContain('"profile_id":"careful"')
    expect(await replay(recording)).toEqual({ same: true, steps: recording.steps.length })
  })
})

describe('routes', () => {
  async function ended(worker: object | undefined, reports: readonly object[]) {
    const bench = await openBench({ profiles })
    const run = await bench.fleet.start({ name: 'r', tasks: [task('a', { worker })] })
    await bench.clock.settle()
    for (const report of reports) bench.transport.say('w1', { type: 'route', ...key(run.id), route: report } as never)
    await bench.clock.settle()
    bench.transport.attempt('a').complete()
    await bench.clock.settle()
    return { ...bench, run, receipt: await run.receipt('a') }
  }

  test('VE6 the worker completes the route: its provider and protocol, with the model and the sources that the fleet knows', async () => {
    const { receipt } = await ended({ agent_profile: 'careful', loadout: 'fast' }, [route])
    expect(receipt?.resolved_route).toEqual({
      ...route,
      wire_model_id: 'maker/m-1',
      role: 'reviewer',
      loadout: 'fast',
      model_class: 'strong',
      role_source: 'agent_profile.role',
      loadout_source: 'task.loadout',
      model_class_source: 'agent_profile.model_class',
      model_source: 'agent_profile.model',
      source: 'worker',
    })
  })

  test('VE6 every word of a report is on the receipt, and the last report counts', async () => {
    const whole = {
      ...route,
      provider_exact_id: 'maker-eu',
      canonical_model: 'm-1',
      wire_model_id: 'm-1-0613',
      model_route: 'direct',
    }
    const { receipt } = await ended(undefined, [{ ...route, wire_model_id: 'm-0' }, whole])
    expect(receipt?.resolved_route).toEqual({ ...whole, model_source: 'worker', source: 'worker' })
  })

  test('VE6 without a report, or without a model, no route is invented; the sources are told all the same', async () => {
    const silent = await ended({ agent_profile: 'careful' }, [])
    expect(silent.receipt).not.toHaveProperty('resolved_route')
    expect(silent.receipt?.profile?.sources).toMatchObject({ model: 'agent_profile.model' })
    const modelless = await ended({ role: 'reviewer' }, [route])
    expect(modelless.receipt).not.toHaveProperty('resolved_route')
    expect(modelless.receipt?.profile?.sources).toMatchObject({ role: 'task.role' })
  })

  test('SE5 a route that holds a credential, or an address with one, is not taken: it is nowhere, and the log says so', async () => {
    for (const provider_id of ['https://user:hunter22@maker.example', 'Bearer abcdefgh', 'sk-abcdefgh12345678']) {
      const { receipt, run, store } = await ended({ model: 'm-1' }, [{ ...route, provider_id }])
      expect(receipt).not.toHaveProperty('resolved_route')
      expect(new TextDecoder().decode((await run.log('a'))?.bytes)).toContain('The route was not taken.')
      const told = JSON.stringify([await journalOf(store, run.id), (await run.log('a'))?.bytes])
      expect(told).not.toContain(provider_id)
    }
    const { receipt } = await ended({ model: 'm-1' }, [route])
    expect(receipt?.resolved_route).toMatchObject({ provider_id: 'maker' })
  })

  test('SE5 a route that holds a secret of the run is not taken either: it is nowhere', async () => {
    const told = async (canonical_model: string) => {
      const bench = await openBench({ secrets: { source: 'vault', resolve: () => 'hunter22-hunter22' } })
      const policy = { default_trust_level: 'local' as const, allowed_secrets: ['KEY'] }
      const run = await bench.fleet.start({ name: 'r', tasks: [task('a', { worker: { model: 'm' } })], security_policy: policy })
      await bench.clock.settle()
      bench.transport.say('w1', { type: 'route', ...key(run.id), route: { ...route, canonical_model } })
      await bench.clock.settle()
      bench.transport.attempt('a').complete()
      await bench.clock.settle()
      const journal = JSON.stringify(await journalOf(bench.store, run.id))
      return { route: (await run.receipt('a'))?.resolved_route, leaks: journal.includes('hunter22') }
    }
    expect(await told('hunter22-hunter22')).toEqual({ route: undefined, leaks: false })
    expect(await told('m-1')).toMatchObject({ route: { canonical_model: 'm-1' }, leaks: false })
  })

  test('LE2 a route of an older attempt changes nothing, and the next attempt begins without one', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({
      name: 'r',
      tasks: [task('a', { worker: { model: 'm-1' }, retry_policy: { initial_backoff_seconds: 0 } })],
    })
    await clock.settle()
    transport.say('w1', { type: 'route', ...key(run.id), route } as never)
    transport.attempt('a').fail('no')
    await clock.settle()
    transport.say('w1', { type: 'route', ...key(run.id), route: { ...route, provider_id: 'late' } } as never)
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    const receipts = await run.receipts('a')
    expect(receipts.map((receipt) => receipt.resolved_route?.provider_id)).toEqual(['maker', undefined])
  })

  test('VE6 a function reports its route, and is told at once what is wrong with it', async () => {
    const wrong: string[] = []
    const { fleet } = await openBench({
      workers: [
        {
          id: 'w1',
          run: async (_, { route: tell }) => {
            try {
              await tell({ providerId: 'token=abc', providerKind: 'http', protocol: undefined as never })
            } catch (error) {
              wrong.push((error as Error).message)
            }
            await tell({ providerId: 'maker', providerKind: 'http', protocol: 'chat', wireModelId: 'm-1' })
          },
        },
      ],
    })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await run.result()
    expect(wrong).toEqual([
      'provider_id: expected text that holds no credential, got a text of 9 characters\nprotocol: expected text that holds no credential, got nothing',
    ])
    expect((await run.receipt('a'))?.resolved_route).toMatchObject({ provider_id: 'maker', wire_model_id: 'm-1' })
  })
})
