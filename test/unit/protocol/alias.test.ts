import { describe, expect, test } from 'vitest'
import {
  FleetAlertChannel,
  FleetAlertEndpoint,
  FleetHostSpec,
  FleetRunSpec,
  FleetTaskWorkerProfile,
  FleetTrustLevel,
} from '../../../src/protocol/index.ts'
import { minimalTask } from './samples.ts'

describe('WI4', () => {
  test('WI4 T2 P2 profile is read and agent_profile is written', () => {
    const value = FleetTaskWorkerProfile.parse({ profile: 'careful', loadout: 'fast', model_class: 'strong', model: 'm-1' })
    const names = { agent_profile: 'careful', loadout: 'fast', model_class: 'strong', model: 'm-1' }
    expect(value).toStrictEqual({ ...names, tools: [], capabilities: [] })
    expect(JSON.stringify(value)).not.toContain('"profile"')
  })

  test('WI4 P17 other spellings of remote_verified are read, one is written', () => {
    for (const spelling of ['remote-verified', 'remoteVerified', 'remote_verified']) {
      expect(FleetTrustLevel.parse(spelling)).toBe('remote_verified')
    }
    expect(() => FleetTrustLevel.parse('REMOTE_VERIFIED')).toThrow(
      'FleetTrustLevel: expected one of sandbox, local, remote_verified, operator, got "REMOTE_VERIFIED"',
    )
    expect(FleetTrustLevel.safeParse('constructor').success).toBe(false)
  })

  test('WI4 container and Container are read as docker', () => {
    for (const kind of ['container', 'Container', 'docker']) {
      expect(FleetHostSpec.parse({ kind, image: 'node:20' })).toStrictEqual({ kind: 'docker', image: 'node:20', args: [] })
    }
    expect(FleetHostSpec.safeParse({ kind: 'CONTAINER', image: 'node:20' }).success).toBe(false)
  })

  test.each(['webhook_url', 'endpoint_url', 'url'])('WI4 P18 an endpoint reads %s as url', (alias) => {
    expect(FleetAlertEndpoint.parse({ [alias]: 'https://a' })).toStrictEqual({ url: 'https://a' })
    expect(FleetAlertChannel.parse({ kind: 'slack', [alias]: 'https://a' })).toStrictEqual({ kind: 'slack', url: 'https://a' })
  })

  test.each(['webhook_url_ref', 'webhook_ref', 'url_secret_ref', 'url_ref'])('WI4 an endpoint reads %s as url_ref', (alias) => {
    expect(FleetAlertEndpoint.parse({ [alias]: 'HOOK' })).toStrictEqual({ url_ref: { key: 'HOOK' } })
  })

  test.each(['secret', 'webhook_secret', 'signing_secret', 'secret_ref'])('WI4 P18 a webhook reads %s as secret_ref', (alias) => {
    const channel = { kind: 'webhook', url: 'https://a', [alias]: { key: 'S', source: 'env' } }
    expect(FleetAlertChannel.parse(channel)).toStrictEqual({
      kind: 'webhook',
      url: 'https://a',
      secret_ref: { key: 'S', source: 'env' },
    })
  })

  test('WI4 pagerduty is read as pager_duty, which has no endpoint whose aliases would be read', () => {
    const channel = { routing_key: 'K', severity: 'error', secret: 'kept' }
    expect(FleetAlertChannel.parse({ kind: 'pagerduty', ...channel })).toStrictEqual({ kind: 'pager_duty', ...channel })
  })

  test('WI4 workers is read as worker_specs', () => {
    const worker = { id: 'w', name: 'W', host: { kind: 'local' } }
    const run = FleetRunSpec.parse({ name: 'R', tasks: [minimalTask], workers: [worker] })
    expect(run.worker_specs).toStrictEqual([{ ...worker, labels: {}, capabilities: [] }])
    expect(run).not.toHaveProperty('workers')
  })

  test('WI4 an alias beside its name is a problem, also when one of them is null', () => {
    const refused = FleetTaskWorkerProfile.safeParse({ profile: null, agent_profile: 'a' })
    expect(refused.success || refused.error.message).toBe(
      'profile: expected one of "agent_profile" and its alias "profile", got both',
    )
    expect(FleetTaskWorkerProfile.safeParse({ profile: null }).success).toBe(true)
  })

  test('WI4 two aliases of one name are a problem', () => {
    const refused = FleetAlertEndpoint.safeParse({ webhook_url: 'https://a', endpoint_url: 'https://b' })
    expect(refused.success || refused.error.message).toBe(
      'endpoint_url: expected one of "url" and its alias "endpoint_url", got both',
    )
  })

  test('WI4 an alias beside its name is told together with all else that is wrong', () => {
    const refused = FleetRunSpec.safeParse({ name: 'R', tasks: [{ ...minimalTask, name: 1 }], workers: [], worker_specs: [{}] })
    expect(refused.success || refused.error.message.split('\n')).toEqual([
      'tasks[0].name: expected a name of 1 to 256 bytes on one printable line, got 1',
      'worker_specs[0].id: expected 1 to 128 characters of A-Z a-z 0-9 . _ -, not "." or "..", got nothing',
      'worker_specs[0].name: expected a name of 1 to 256 bytes on one printable line, got nothing',
      'worker_specs[0].host: expected an object, got nothing',
      'workers: expected one of "worker_specs" and its alias "workers", got both',
    ])
  })
})
