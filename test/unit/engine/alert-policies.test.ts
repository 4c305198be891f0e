import { expect, test } from 'vitest'
import { covers, createAlertPolicies } from '../../../src/engine/alert-policies.ts'
import { alertEventClasses, FleetAlertPolicy } from '../../../src/protocol/alert.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'

const channels = [{ kind: 'webhook', url_ref: { key: 'HOOK' } }]
const spec = (policy?: object) =>
  FleetTaskSpec.parse({ id: 'a', name: 'a', instructions: 'x', ...(policy !== undefined && { alert_policy: policy }) } as never)

test('CO9 all tasks whose policies are equal share the first of them; another policy is one of its own', () => {
  const policies = createAlertPolicies()
  const first = policies.of(spec({ channels }))
  expect(first).toMatchObject({ channels, events: [] })
  expect(policies.of(spec({ channels }))).toBe(first)
  expect(policies.of(spec({ channels }))).toBe(first)
  expect(policies.of(spec({ channels, after_attempts: 1 }))).toMatchObject({ channels, after_attempts: 1 })
})

test('AL1 only a policy that names a channel alerts anybody, and makes its run one that has alerts', () => {
  const policies = createAlertPolicies()
  expect(policies.of(spec())).toBe(null)
  expect(policies.of(spec({ events: ['stale'], channels: [] }))).toBe(null)
  expect(policies.any).toBe(false)
  expect(policies.of(spec({ channels }))).not.toBe(null)
  expect(policies.any).toBe(true)
})

test('AL1 a policy without classes covers all of them, one with some covers those', () => {
  const covered = (policy: object) => alertEventClasses.filter((name) => covers(FleetAlertPolicy.parse(policy as never), name))
  expect(covered({ channels })).toEqual(alertEventClasses)
  expect(covered({ channels, events: ['needs_human', 'stale'] })).toEqual(['stale', 'needs_human'])
})
