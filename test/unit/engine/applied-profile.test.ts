import { expect, test } from 'vitest'
import { appliedProfile, resolvedRoute, withProfile } from '../../../src/engine/applied-profile.ts'
import { RouteReport } from '../../../src/protocol/route.ts'
import { FleetTaskWorkerProfile } from '../../../src/protocol/task.ts'
import { usualTerms } from '../../../src/security/trust.ts'

const profile = (fields: object) => ({ worker: FleetTaskWorkerProfile.parse(fields) })
const nobody = { worker: undefined }
const everything = {
  ...{ role: 'builder', loadout: 'fast', model_class: 'large', model: 'm', tool_profile: 'shell', trust_level: 'local' },
  ...{ tools: ['sh'], capabilities: ['gpu'], instructions: 'Be brief.' },
}
/** What a merge of profiles leaves. */
const resolution = {
  profile_origin: 'fleet',
  sources: { role: 'agent_profile.role', loadout: 'role_preset.loadout', model_class: 'run.model_class', model: 'task.model' },
}
const report = RouteReport.parse({ provider_id: 'p', provider_kind: 'k', protocol: 'http' })

test('VE6 of a task of no profile each field that it gives is told, with itself as the source', () => {
  const { tools: _, capabilities: __, instructions: ___, ...told } = everything
  expect(appliedProfile(profile(everything))).toStrictEqual({
    ...told,
    sources: Object.fromEntries(Object.keys(everything).map((field) => [field, `task.${field}`])),
  })
  for (const [field, value] of Object.entries(everything)) {
    const sources = { [field]: `task.${field}` }
    const isTold = !['tools', 'capabilities', 'instructions'].includes(field)
    expect(appliedProfile(profile({ [field]: value }))).toStrictEqual({ ...(isTold && { [field]: value }), sources })
  }
})

test('VE6 nothing is told of a task that asks for nothing', () => {
  expect(appliedProfile(nobody)).toBeUndefined()
  expect(appliedProfile(profile({ tools: [], capabilities: [] }))).toBeUndefined()
})

test('VE6 of merged profiles is told where each value came from, and whose profile it is', () => {
  const merged = profile({ agent_profile: 'pro', role: 'builder', resolution })
  expect(appliedProfile(merged)).toStrictEqual({
    ...{ profile_id: 'pro', profile_origin: 'fleet', role: 'builder', sources: resolution.sources },
  })
  expect(appliedProfile(profile({ role: 'builder', resolution: { sources: { role: 'x' } } }))).toStrictEqual({
    ...{ role: 'builder', sources: { role: 'x' } },
  })
  expect(appliedProfile(profile({ agent_profile: 'pro', resolution: { profile_origin: 'fleet', sources: {} } }))).toBeUndefined()
})

test('SC3 what was enforced names the tools and the profile of a task, where it has any', () => {
  const { permissions } = usualTerms
  for (const plain of [nobody, profile({ role: 'builder', model: 'm' })])
    expect(withProfile(permissions, plain)).toBe(permissions)
  expect(withProfile(permissions, profile({ tools: ['sh'] }))).toStrictEqual({
    ...permissions,
    ...{ tool_scope: 'explicit', tools: ['sh'] },
  })
  expect(withProfile(permissions, profile({ agent_profile: 'pro' }))).toStrictEqual({ ...permissions, profile_id: 'pro' })
  const both = withProfile(permissions, profile({ agent_profile: 'pro', tools: ['sh'], resolution }))
  expect(both).toStrictEqual({
    ...permissions,
    ...{ tool_scope: 'explicit', tools: ['sh'], profile_id: 'pro', profile_origin: 'fleet' },
  })
  // The order of the contract, in which it is written.
  expect(Object.keys(both).at(-1)).toBe('source')
})

test('VE6 a route is what the worker reported, with what the profile asked for and where that came from', () => {
  const whole = RouteReport.parse({
    ...{
      provider_id: 'p',
      provider_exact_id: 'p-1',
      provider_kind: 'k',
      canonical_model: 'c',
      wire_model_id: 'm-7',
      protocol: 'http',
    },
    ...{ model_route: 'r', reasoning_effort: 'high' },
  })
  const asked = { role: 'builder', loadout: 'fast', model_class: 'large' }
  expect(resolvedRoute(profile({ ...asked, model: 'm', resolution }), whole)).toStrictEqual({
    ...whole,
    ...asked,
    ...{ role_source: 'agent_profile.role', loadout_source: 'role_preset.loadout', model_class_source: 'run.model_class' },
    ...{ model_source: 'task.model', source: 'worker' },
  })
  const least = RouteReport.parse({ provider_id: 'p', provider_kind: 'k', protocol: 'http', wire_model_id: 'm-7' })
  for (const plain of [nobody, profile({})])
    expect(resolvedRoute(plain, least)).toStrictEqual({ ...least, model_source: 'worker', source: 'worker' })
})

test('VE6 the model that was asked for stands for the one that the worker did not name; without either no route is invented', () => {
  expect(resolvedRoute(profile({ model: 'm' }), report)).toStrictEqual({
    ...report,
    ...{ wire_model_id: 'm', model_source: 'task.model', source: 'worker' },
  })
  expect(resolvedRoute(profile({ model: 'm' }), null)).toBeUndefined()
  expect(resolvedRoute(profile({ role: 'builder' }), report)).toBeUndefined()
  expect(resolvedRoute(nobody, report)).toBeUndefined()
})
