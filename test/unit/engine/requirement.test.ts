import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRequirements, effectiveTrust, isEnforced, mismatches } from '../../../src/engine/requirement.ts'
import type { WorkerFacts } from '../../../src/engine/worker-facts.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'

const words = fc.constantFrom('a', 'b', 'a\nb', '"', 'command')
const spec = fc
  .record(
    {
      handler: words,
      worker: fc.record(
        { role: fc.constantFrom('a', 'b'), capabilities: fc.array(words, { maxLength: 2 }) },
        { requiredKeys: [] },
      ),
      metadata: fc.constantFrom({}, { command: ['a'] }, { priority: 1 }),
    },
    { requiredKeys: [] },
  )
  .map((asked) => FleetTaskSpec.parse({ id: 't', name: 't', instructions: 'Do it.', ...asked }))

test('SC8 tasks that ask for the same share one requirement, and its key tells it from every other', () => {
  const run = { worker_specs: [], target: 'this_computer' as const }
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 20 }), (specs) => {
      const requirements = createRequirements(run)
      for (const one of specs) {
        const requirement = requirements.of(one)
        expect(requirement).toEqual(createRequirements(run).of(one))
        expect(requirement).toMatchObject({ handler: one.handler, role: one.worker?.role })
        expect(requirement.command).toBe(one.metadata['command'] !== undefined)
        expect(requirement.capabilities).toEqual([...(one.worker?.capabilities ?? [])].sort())
        expect(requirements.of(structuredClone(one))).toBe(requirement)
      }
      const all = new Set(specs.map((one) => requirements.of(one)))
      expect(new Set([...all].map(({ key }) => key)).size).toBe(all.size)
    }),
  )
})

const all = { network: true, fileWrites: true, environment: true, processes: true }
const able: WorkerFacts = {
  id: 'w1',
  serves: { handlers: ['h'], commands: true, plain: true },
  capabilities: ['gpu', 'linux', 'make'],
  roles: [],
  host: 'local',
  verified: false,
  trust: undefined,
  enforces: all,
  checks: { enforces: all },
  runsUnenforced: false,
  slots: 1,
}
type Run = Parameters<typeof createRequirements>[0]
const asks = (more: object, run: Partial<Run> = {}) =>
  createRequirements({ worker_specs: [], target: undefined, ...run } as Run).of(
    FleetTaskSpec.parse({ id: 't', name: 't', instructions: 'Do it.', ...more }),
  )

test.for([
  ['the run’s workers', {}, { worker_specs: [{ id: 'w1' }] }, { id: 'w2' }, 'is not among the run’s workers'],
  ['a handler', { handler: 'h' }, {}, { serves: { ...able.serves, handlers: ['g'] } }, 'does not serve the handler h'],
  ['a command', { metadata: { command: ['a'] } }, {}, { serves: { ...able.serves, commands: false } }, 'does not run commands'],
  [
    'neither handler nor command',
    {},
    {},
    { serves: { ...able.serves, plain: false } },
    'serves only tasks that name a handler or a command',
  ],
  ['a capability', { worker: { capabilities: ['linux', 'gpu'] } }, {}, { capabilities: ['linux'] }, 'lacks the capability gpu'],
  [
    'capabilities',
    { worker: { capabilities: ['make', 'linux', 'gpu'] } },
    {},
    { capabilities: ['linux'] },
    'lacks the capabilities gpu, make',
  ],
  ['a role', { worker: { role: 'builder' } }, {}, { roles: ['tester'] }, 'does not serve the role builder'],
  [
    'the command of a scorer',
    { scorer: { kind: 'command', command: 'a' } },
    {},
    { checks: undefined },
    'cannot run the command of its scorer on its host',
  ],
  ['this computer', {}, { target: 'this_computer' }, { host: 'ssh' }, 'is not on this computer'],
  ['another computer', {}, { target: 'another_computer' }, { host: 'local' }, 'is not on another computer'],
] as const)(
  'SC3 a task that asks for %s goes to no worker without it, and the reason says so',
  ([, task, run, lacking, reason]) => {
    const requirement = asks(task, run as never)
    expect(mismatches(requirement, { ...able, ...lacking } as WorkerFacts)).toEqual([reason])
    const elsewhere = { ...able, host: 'remote' as const }
    expect(mismatches(requirement, requirement.target === 'another_computer' ? elsewhere : able)).toEqual([])
  },
)

test('SC3 a worker without roles serves every role, and a task without one goes to every worker', () => {
  expect(mismatches(asks({ worker: { role: 'builder' } }), able)).toEqual([])
  expect(mismatches(asks({ worker: { role: 'builder' } }), { ...able, roles: ['tester', 'builder'] })).toEqual([])
  expect(mismatches(asks({}), { ...able, roles: ['tester'] })).toEqual([])
})

test('SE2 a lease that needs more than its worker can enforce is refused with the reason, unless the application says otherwise', () => {
  const sandboxed = asks({})
  const lax = { ...able, enforces: { ...all, fileWrites: false } }
  expect(mismatches(sandboxed, able)).toEqual([])
  expect(mismatches(sandboxed, lax)).toEqual(['cannot enforce the trust level sandbox'])
  expect(mismatches(sandboxed, { ...lax, enforces: { ...lax.enforces, because: 'no bubblewrap' } })).toEqual([
    'cannot enforce the trust level sandbox: no bubblewrap',
  ])
  expect(mismatches(sandboxed, { ...lax, runsUnenforced: true })).toEqual([])
  expect(mismatches(sandboxed, { ...lax, trust: 'local' })).toEqual([])
  expect([isEnforced(sandboxed, able), isEnforced(sandboxed, lax), isEnforced(sandboxed, { ...lax, trust: 'local' })]).toEqual([
    true,
    false,
    true,
  ])
})

test('SE2 VE3 the command of a scorer is held to the same level, where the task has one', () => {
  const checked = asks({ scorer: { kind: 'command', command: 'a' } })
  const lax = { ...able, checks: { enforces: { ...all, network: false } } }
  const reason = 'cannot enforce the trust level sandbox on the command of its scorer'
  expect(mismatches(checked, lax)).toEqual([reason])
  expect(mismatches(checked, { ...able, checks: { enforces: { ...all, network: false, because: 'no net' } } })).toEqual([
    `${reason}: no net`,
  ])
  expect([mismatches(checked, able), mismatches(asks({}), lax)]).toEqual([[], []])
})

test('SE4 WS4 a task that wants to write more than was granted is refused at a level at which writing is confined', () => {
  const grants = (...scopes: string[]) => ({
    security_policy: { capability_grants: scopes.map((scope) => ({ capability: 'workspace-write', scope })) },
  })
  const writing = { workspace: { writable_paths: ['src/a'] } }
  const reason = 'may not let it write its writable_paths at the trust level sandbox: grant workspace-write for them'
  expect(mismatches(asks(writing), able)).toEqual([reason])
  expect(mismatches(asks(writing, grants('docs') as never), able)).toEqual([reason])
  expect(mismatches(asks(writing, grants('src') as never), able)).toEqual([])
  expect(mismatches(asks(writing), { ...able, trust: 'local' })).toEqual([])
})

test('SE1 the level of a lease is the worker’s own, else the policy’s, cut to the ceiling of run and task', () => {
  const policy = (security_policy: object) => ({ security_policy }) as never
  const operator = { ...able, trust: 'operator' as const }
  expect(effectiveTrust(asks({}), able)).toBe('sandbox')
  expect(effectiveTrust(asks({}, policy({ default_trust_level: 'local' })), able)).toBe('local')
  expect(effectiveTrust(asks({}), operator)).toBe('operator')
  expect(effectiveTrust(asks({}, policy({ max_trust_level: 'local' })), operator)).toBe('local')
  expect(effectiveTrust(asks({ worker: { trust_level: 'local' } }), operator)).toBe('local')
  const verified = policy({ require_identity_verification: true })
  expect(effectiveTrust(asks({}, verified), operator)).toBe('operator')
  expect(effectiveTrust(asks({}, verified), { ...operator, host: 'remote' })).toBe('sandbox')
  expect(effectiveTrust(asks({}, verified), { ...operator, host: 'remote', verified: true })).toBe('operator')
  expect(effectiveTrust(asks({}), { ...operator, host: 'remote' })).toBe('operator')
})
