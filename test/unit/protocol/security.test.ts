import { describe, expect, test } from 'vitest'
import {
  FleetAlertChannel,
  FleetAlertEndpoint,
  FleetAlertPolicy,
  FleetSecretRef,
  FleetSecurityPolicy,
  FleetTrustLevel,
  formatSecretRef,
  lowerTrust,
  mayAccessSecrets,
  mayUseNetwork,
  mayWriteWorkspace,
  trustRank,
} from '../../../src/protocol/index.ts'

const levels = ['sandbox', 'local', 'remote_verified', 'operator'] as const

describe('trust', () => {
  test('WI1 SE1 the levels stand in the order sandbox, local, remote_verified, operator (P20)', () => {
    expect(levels.map(trustRank)).toEqual([0, 1, 2, 3])
    expect(levels.map((level) => FleetTrustLevel.parse(level))).toEqual(levels)
    for (const [index, one] of levels.entries()) {
      for (const [other, two] of levels.entries()) expect(lowerTrust(one, two)).toBe(levels[Math.min(index, other)])
    }
  })

  test('WI1 a level opens secrets, the network and the workspace (P20)', () => {
    expect(levels.filter(mayAccessSecrets)).toEqual(['local', 'remote_verified', 'operator'])
    expect(levels.filter(mayUseNetwork)).toEqual(['local', 'remote_verified', 'operator'])
    expect(levels.filter(mayWriteWorkspace)).toEqual(['local', 'operator'])
  })

  test('WI1 a policy of nothing gives sandbox, no secrets, no grants, and the ceiling operator (P19)', () => {
    expect(FleetSecurityPolicy.parse({})).toStrictEqual({
      default_trust_level: 'sandbox',
      allowed_secrets: [],
      capability_grants: [],
      max_trust_level: 'operator',
      require_identity_verification: false,
      allow_parallel_reads: false,
    })
  })

  test('WI3 a default of a policy is not taken for null', () => {
    expect(FleetSecurityPolicy.safeParse({ default_trust_level: null }).success).toBe(false)
    expect(FleetSecurityPolicy.safeParse({ require_identity_verification: null }).success).toBe(false)
  })
})

describe('secrets', () => {
  test('WI1 a reference is read from its key or an object, and written as an object (P16)', () => {
    expect(FleetSecretRef.parse('TOKEN')).toStrictEqual({ key: 'TOKEN' })
    expect(FleetSecretRef.parse({ key: 'TOKEN', source: null })).toStrictEqual({ key: 'TOKEN' })
    expect(FleetSecretRef.parse({ key: 'TOKEN', source: 'env' })).toStrictEqual({ key: 'TOKEN', source: 'env' })
    expect(FleetSecretRef.parse({ source: 'never-heard-of', key: 'K', more: 1 })).toStrictEqual({
      key: 'K',
      source: 'never-heard-of',
      more: 1,
    })
  })

  test('WI6 a blank key is refused, bare or in an object', () => {
    const message = (ref: unknown) => {
      const result = FleetSecretRef.safeParse(ref)
      return result.success ? undefined : result.error.message
    }
    for (const blank of ['', '  ', '\n']) {
      expect(message(blank)).toMatch(/^FleetSecretRef: expected a non-blank string/)
      expect(message({ key: blank })).toMatch(/^key: expected a non-blank string/)
    }
    expect(message({})).toBe('key: expected a non-blank string, got nothing')
    for (const other of [5, null, ['A'], true]) {
      expect(message(other)).toMatch(/^FleetSecretRef: expected the key of a secret, or an object with `key`, got /)
    }
  })

  test('WI1 SE5 a reference is printed as its key and source (P14)', () => {
    expect(formatSecretRef(FleetSecretRef.parse({ key: 'KEY', source: 'env' }))).toBe('<secret:env.KEY>')
    expect(formatSecretRef(FleetSecretRef.parse('KEY'))).toBe('<secret:KEY>')
  })
})

describe('alerts', () => {
  test('WI1 a policy for one class, and one without classes (P5)', () => {
    expect(FleetAlertPolicy.parse({ events: ['stale'] })).toStrictEqual({ events: ['stale'], channels: [] })
    expect(FleetAlertPolicy.parse({ after_attempts: null, after_minutes_stale: 5 })).toStrictEqual({
      events: [],
      channels: [],
      after_minutes_stale: 5,
    })
    expect(FleetAlertPolicy.safeParse({ events: ['fire'] }).success).toBe(false)
  })

  test('WI1 an endpoint from a secret has no URL (P15)', () => {
    expect(FleetAlertEndpoint.parse({ url_ref: 'HOOK' })).toStrictEqual({ url_ref: { key: 'HOOK' } })
    expect(FleetAlertChannel.parse({ kind: 'slack', url: null, url_ref: 'HOOK' })).toStrictEqual({
      kind: 'slack',
      url_ref: { key: 'HOOK' },
    })
  })
})
