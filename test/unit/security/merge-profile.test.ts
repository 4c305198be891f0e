import { describe, expect, test } from 'vitest'
import { profileTables } from '../../../src/fleet/profiles.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import type { FleetTaskWorkerProfile } from '../../../src/protocol/task.ts'
import { mergeProfile } from '../../../src/security/merge-profile.ts'
import type { MergeRun } from '../../../src/security/profile-layers.ts'

const tables = profileTables({
  profiles: {
    careful: { role: 'judge', model: 'm-profile', loadout: 'slow', tools: ['read', 'grep'], instructions: 'Look twice.' },
    eager: { model: 'm-eager', trust_level: 'operator', timeout_seconds: 7 },
    greedy: { role: 'judge', tools: ['read', 'write'] },
  },
  roles: { judge: { model: 'm-preset', model_class: 'strong', tools: ['read', 'grep', 'git'], capabilities: ['git'] } },
})

function merge(worker: object | undefined, run: MergeRun = {}, timeout_seconds?: number) {
  const spec = FleetTaskSpec.parse({ id: 'a', name: 'a', instructions: 'x', worker, timeout_seconds })
  return mergeProfile(spec, run, tables)
}
function merged(...args: Parameters<typeof merge>) {
  const outcome = merge(...args)
  if ('problems' in outcome) throw new Error(JSON.stringify(outcome.problems))
  return outcome.task
}
const problems = (...args: Parameters<typeof merge>) => {
  const outcome = merge(...args)
  return 'problems' in outcome ? outcome.problems.map(({ of, field }) => `${of} ${field}`) : []
}
const defaults = (worker: object): MergeRun => ({
  worker_defaults: { tools: [], capabilities: [], ...worker } as FleetTaskWorkerProfile,
})

describe('merging', () => {
  test('SC3 each value comes from the first that names one: task, profile, role preset, run', () => {
    const { worker, timeout_seconds } = merged(
      { agent_profile: 'careful', loadout: 'own' },
      defaults({ tool_profile: 'editors', model: 'm-run', loadout: 'run' }),
    )
    expect(worker).toEqual({
      agent_profile: 'careful',
      role: 'judge',
      loadout: 'own',
      model_class: 'strong',
      model: 'm-profile',
      tool_profile: 'editors',
      tools: ['read', 'grep'],
      capabilities: ['git'],
      instructions: 'Look twice.',
      resolution: {
        profile_origin: 'fleet',
        sources: {
          agent_profile: 'task.agent_profile',
          role: 'agent_profile.role',
          loadout: 'task.loadout',
          model_class: 'role_preset.model_class',
          model: 'agent_profile.model',
          tool_profile: 'run.tool_profile',
          tools: 'agent_profile.tools',
          capabilities: 'role_preset.capabilities',
          instructions: 'agent_profile.instructions',
        },
      },
    })
    expect(timeout_seconds).toBeUndefined()
  })

  test('SC3 a profile and a role may come from the run, and a task that names its own has its own', () => {
    const run = defaults({ agent_profile: 'careful', role: 'builder' })
    expect(merged(undefined, run).worker).toMatchObject({ agent_profile: 'careful', role: 'judge', model: 'm-profile' })
    expect(merged(undefined, run).worker?.resolution?.sources['agent_profile']).toBe('run.agent_profile')
    expect(merged({ agent_profile: 'eager' }, run).worker).toMatchObject({
      agent_profile: 'eager',
      role: 'builder',
      model: 'm-eager',
    })
    expect(merged({ role: 'nobody-knows' }, defaults({ role: 'builder' })).worker).toMatchObject({ role: 'nobody-knows' })
  })

  test('LE7 a preset gives the timeout of a task that has none; the task’s own wins, then the profile’s', () => {
    expect(merged({ role: 'reviewer' }).timeout_seconds).toBe(600)
    expect(merged({ role: 'reviewer' }, {}, 5).timeout_seconds).toBe(5)
    expect(merged({ role: 'reviewer', agent_profile: 'eager' }).timeout_seconds).toBe(7)
  })

  test('SC3 a task whose role nobody knows, and that names no profile, stays as it is', () => {
    const worker = { role: 'cook', model: 'm', tools: ['oven'], capabilities: [] }
    expect(merged(worker).worker).toEqual(worker)
    expect(merged(undefined)).toEqual({ timeout_seconds: undefined })
  })

  test('SC3 what a document claims to have been merged is not read', () => {
    const forged = { resolution: { profile_origin: 'built-in', sources: { model: 'agent_profile.model' } } }
    expect(merged({ model: 'm', ...forged }).worker).toEqual({ model: 'm', tools: [], capabilities: [] })
    expect(merged({ model: 'm', role: 'judge', ...forged }).worker?.resolution?.sources['model']).toBe('task.model')
  })

  test('SE1 the level is the lowest that any of them names, and the first of those that name it is its source', () => {
    const level = (...args: Parameters<typeof merge>) => {
      const { worker } = merged(...args)
      return [worker?.trust_level, worker?.resolution?.sources['trust_level']]
    }
    expect(level({ role: 'read-only', trust_level: 'operator' })).toEqual(['sandbox', 'role_preset.trust_level'])
    expect(level({ role: 'read-only', trust_level: 'sandbox' })).toEqual(['sandbox', 'task.trust_level'])
    expect(level({ role: 'builder', agent_profile: 'eager' })).toEqual(['local', 'role_preset.trust_level'])
    expect(level({ role: 'judge' })).toEqual([undefined, undefined])
  })
})

describe('what is refused', () => {
  const upTo = (max_trust_level: 'sandbox' | 'local') => ({ security_policy: { max_trust_level } })

  test('SC3 a profile that nobody gave is refused, whoever names it; one that was given is not (control)', () => {
    expect(problems({ agent_profile: 'nobody' })).toEqual(['task worker.agent_profile'])
    expect(problems({}, defaults({ agent_profile: 'nobody' }))).toEqual(['run worker_defaults.agent_profile'])
    expect(problems({ agent_profile: 'careful' })).toEqual([])
  })

  test('SE1 a level above max_trust_level is refused at the field that brought it in; one that it allows is not (control)', () => {
    expect(problems({ agent_profile: 'eager' }, upTo('local'))).toEqual(['task worker.agent_profile'])
    expect(problems({ role: 'builder' }, upTo('sandbox'))).toEqual(['task worker.role'])
    expect(problems({ trust_level: 'operator' }, upTo('local'))).toEqual(['task worker.trust_level'])
    expect(problems({}, { ...defaults({ role: 'builder' }), ...upTo('sandbox') })).toEqual(['run worker_defaults.role'])
    expect(problems({ role: 'builder' }, upTo('local'))).toEqual([])
    expect(problems({ agent_profile: 'eager' })).toEqual([])
  })

  test('SC3 tools beyond those of the profile or of the preset are refused at the field that names them', () => {
    expect(problems({ agent_profile: 'greedy' })).toEqual(['task worker.agent_profile'])
    expect(problems({ role: 'judge', tools: ['read', 'write'] })).toEqual(['task worker.tools'])
    expect(problems({ agent_profile: 'careful', tools: ['git'] })).toEqual(['task worker.tools'])
    expect(problems({ agent_profile: 'careful', tools: ['grep'] })).toEqual([])
    expect(merged({ agent_profile: 'careful', tools: ['grep'] }).worker?.tools).toEqual(['grep'])
  })

  test('SC3 a profile’s role that is none of the run’s is refused', () => {
    expect(problems({ agent_profile: 'careful' }, { roles: ['cook'] })).toEqual(['task worker.agent_profile'])
    expect(problems({ agent_profile: 'careful' }, { roles: ['judge'] })).toEqual([])
  })

  test('SE5 what looks like a credential is refused where a receipt would tell it, and is not repeated', () => {
    const outcome = merge({ model: 'sk-abcdefgh12345678' })
    expect(outcome).toEqual({
      problems: [{ of: 'task', field: 'worker.model', reason: 'the model of the task looks like a credential' }],
    })
    expect(problems({ model: 'maker/model-4' })).toEqual([])
  })
})
