import { describe, expect, test } from 'vitest'
import { FleetSecurityPolicy } from '../../../src/protocol/security.ts'
import type { FleetSecurityPolicyInput } from '../../../src/protocol/security.ts'
import { coversWrites, grantProblems, grantsOf } from '../../../src/security/grants.ts'
import { leaseTerms, neededControls } from '../../../src/security/trust.ts'

const policy = (input: FleetSecurityPolicyInput) => FleetSecurityPolicy.parse(input)
const problems = (input: FleetSecurityPolicyInput) => grantProblems(policy(input)).map(({ path }) => path)

describe('SE4 grants', () => {
  test('SE4 the network is granted as a whole; a list of hosts cannot be enforced, and is refused with its path', () => {
    expect(problems({ capability_grants: [{ capability: 'network' }] })).toEqual([])
    expect(problems({ capability_grants: [{ capability: 'network', scope: 'api.example.org' }] })).toEqual([
      'security_policy.capability_grants[0].scope',
    ])
  })

  test('SE4 writing is granted for paths of the workspace; a path that leaves it is refused', () => {
    expect(
      problems({ capability_grants: [{ capability: 'workspace-write', scope: 'out' }, { capability: 'workspace-write' }] }),
    ).toEqual([])
    for (const scope of ['/etc', '../other', 'a/../../b', '', 'a\nb'])
      expect(problems({ capability_grants: [{ capability: 'workspace-write', scope }] })).toEqual([
        'security_policy.capability_grants[0].scope',
      ])
  })

  test.each(['secrets', 'shell', 'Network', 'constructor', '__proto__'])(
    'SE4 the capability %s is refused by name',
    (capability) => {
      expect(problems({ capability_grants: [{ capability }] })).toEqual(['security_policy.capability_grants[0].capability'])
    },
  )

  test.each([
    ['network', 'sandbox', false],
    ['network', 'local', true],
    ['network', 'remote_verified', true],
    ['network', 'operator', true],
    ['workspace-write', 'sandbox', false],
    ['workspace-write', 'local', true],
    ['workspace-write', 'remote_verified', false],
    ['workspace-write', 'operator', true],
  ] as const)('SE4 %s under the ceiling %s is allowed: %s', (capability, max_trust_level, isAllowed) => {
    expect(problems({ max_trust_level, capability_grants: [{ capability }] })).toEqual(
      isAllowed ? [] : ['security_policy.capability_grants[0]'],
    )
  })

  test('SE4 all problems are told at once', () => {
    const capability_grants = [{ capability: 'x' }, { capability: 'network', scope: 'h' }, { capability: 'workspace-write' }]
    expect(problems({ max_trust_level: 'sandbox', capability_grants })).toEqual([
      'security_policy.capability_grants[0].capability',
      'security_policy.capability_grants[1].scope',
      'security_policy.capability_grants[1]',
      'security_policy.capability_grants[2]',
    ])
  })

  test('WS4 a granted path covers itself and what lies below it, and no neighbour', () => {
    const grants = grantsOf(policy({ capability_grants: [{ capability: 'workspace-write', scope: './out/' }] }))
    expect(grants).toEqual({ network: false, writes: ['out'] })
    for (const path of ['out', 'out/', './out/a', 'out/a/b']) expect(coversWrites(grants, [path])).toBe(true)
    for (const path of ['.', 'output', 'ou', 'other/out']) expect(coversWrites(grants, [path])).toBe(false)
    expect(coversWrites(grants, ['out', 'other'])).toBe(false)
    expect(coversWrites(grantsOf(policy({ capability_grants: [{ capability: 'workspace-write' }] })), ['anything', '.'])).toBe(
      true,
    )
    expect(coversWrites(grantsOf(undefined), [])).toBe(true)
    expect(coversWrites(grantsOf(undefined), ['out'])).toBe(false)
  })
})

describe('SE3 terms of a lease', () => {
  const none = { network: false, writes: [] }

  test('SE3 sandbox is kept from network, writes, environment and processes; from local up nothing is', () => {
    expect(neededControls('sandbox', none)).toEqual(['network', 'fileWrites', 'environment', 'processes'])
    expect(neededControls('sandbox', { network: true, writes: ['.'] })).toEqual(['fileWrites', 'environment', 'processes'])
    for (const level of ['local', 'remote_verified', 'operator'] as const) {
      expect(neededControls(level, none)).toEqual([])
      const terms = leaseTerms(level, { grants: none, writablePaths: ['a'], isEnforced: true })
      expect(terms.confined).toBeUndefined()
      expect(terms.permissions).toMatchObject({ write: true, network: true, shell: 'full', source: `trust level ${level}` })
    }
  })

  test('WS4 a task’s writable_paths narrow what was granted; without them all that was granted may be written', () => {
    const grants = { network: false, writes: ['out', 'src'] }
    const paths = (writablePaths: readonly string[], of = grants) =>
      leaseTerms('sandbox', { grants: of, writablePaths, isEnforced: true }).confined?.writable_paths
    expect(paths(['out/a'])).toEqual(['out/a'])
    expect(paths([])).toEqual(['out', 'src'])
    expect(paths([], none as never)).toEqual([])
  })
})
