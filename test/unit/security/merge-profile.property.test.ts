import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { profileTables } from '../../../src/fleet/profiles.ts'
import { trustRank } from '../../../src/protocol/security.ts'
import type { FleetTaskWorkerProfile } from '../../../src/protocol/task.ts'
import { mergeProfile } from '../../../src/security/merge-profile.ts'

const levels = ['sandbox', 'local', 'remote_verified', 'operator'] as const
const tools = fc.uniqueArray(fc.constantFrom('read', 'grep', 'write', 'net'))
const settings = {
  loadout: fc.constantFrom('fast', 'slow'),
  model_class: fc.constantFrom('strong', 'light'),
  model: fc.constantFrom('m-1', 'm-2'),
  tool_profile: fc.constantFrom('read-only', 'read-write'),
  instructions: fc.constantFrom('One.', 'Two.'),
  trust_level: fc.constantFrom(...levels),
  tools,
  capabilities: fc.uniqueArray(fc.constantFrom('git', 'node')),
}
const role = fc.constantFrom('one', 'two', 'builder', 'unknown')
const optionally = <Shape extends object>(shape: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> }) =>
  fc.record(shape, { requiredKeys: [] })
const timed = { timeout_seconds: fc.integer({ min: 1, max: 9 }) }
const preset = optionally({ ...settings, ...timed })
const profile = optionally({ ...settings, ...timed, role })
const worker = fc
  .record({ ...settings, role, agent_profile: fc.constantFrom('p', 'builder') }, { requiredKeys: ['tools', 'capabilities'] })
  .map((value) => value as FleetTaskWorkerProfile)
const story = fc.record({
  task: fc.record({ worker: fc.option(worker, { nil: undefined }) }),
  run: fc.record(
    { worker_defaults: worker, security_policy: fc.record({ max_trust_level: fc.constantFrom(...levels) }) },
    { requiredKeys: [] },
  ),
  given: fc.record({ profiles: fc.record({ p: profile }), roles: fc.record({ one: preset, two: preset }) }),
})

describe('any task, profile, preset and run', () => {
  test('SE1 merging never widens: no level above the ceiling or above what any of them names, no tool beyond a bound', () => {
    let allowed = 0
    let refused = 0
    fc.assert(
      fc.property(story, ({ task, run, given }) => {
        const tables = profileTables(given)
        const outcome = mergeProfile(task, run, tables)
        if ('problems' in outcome) {
          refused += 1
          expect(outcome.problems.length).toBeGreaterThan(0)
          return
        }
        allowed += 1
        const made = outcome.task.worker
        const bounds = [
          task.worker,
          tables.profiles.get(made?.agent_profile ?? '')?.definition,
          tables.roles.get(made?.role ?? '')?.definition,
        ]
        const level = made?.trust_level
        const ceilings = [...bounds, run.worker_defaults].flatMap((layer) => layer?.trust_level ?? [])
        if (level === undefined) expect(ceilings).toEqual([])
        else {
          const most = run.security_policy?.max_trust_level ?? 'operator'
          expect(trustRank(level)).toBeLessThanOrEqual(Math.min(trustRank(most), ...ceilings.map(trustRank)))
        }
        for (const bound of bounds) {
          if ((bound?.tools ?? []).length === 0) continue
          expect(bound?.tools).toEqual(expect.arrayContaining([...(made?.tools ?? [])]))
        }
      }),
      { numRuns: 2_000 },
    )
    expect(allowed).toBeGreaterThan(200)
    expect(refused).toBeGreaterThan(200)
  })

  test('SC3 every value has exactly one source, which says that value, and no source stands without a value', () => {
    fc.assert(
      fc.property(story, ({ task, run, given }) => {
        const tables = profileTables(given)
        const outcome = mergeProfile(task, run, tables)
        if ('problems' in outcome || outcome.task.worker?.resolution === undefined) return
        const { resolution, ...made } = outcome.task.worker
        const says: Record<string, object | undefined> = {
          task: { ...task.worker },
          agent_profile: tables.profiles.get(made.agent_profile ?? '')?.definition,
          role_preset: tables.roles.get(made.role ?? '')?.definition,
          run: run.worker_defaults,
        }
        const all: Record<string, unknown> = { ...made, timeout_seconds: outcome.task.timeout_seconds }
        const present = Object.keys(all).filter((field) => {
          const value = all[field]
          return value !== undefined && !(Array.isArray(value) && value.length === 0)
        })
        expect(Object.keys(resolution.sources).sort()).toEqual(present.sort())
        for (const [field, source] of Object.entries(resolution.sources)) {
          const [layer = '', named = ''] = source.split('.')
          expect(named).toBe(field)
          expect(Reflect.get(says[layer] ?? {}, field)).toEqual(all[field])
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
