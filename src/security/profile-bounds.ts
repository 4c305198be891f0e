import { holdsCredential } from '../protocol/credential.ts'
import { trustRank } from '../protocol/security.ts'
import { placeIn } from './profile-layers.ts'
import type { Layer, LayerName, MergeProblem, MergeRun } from './profile-layers.ts'

/** Texts that receipts tell. */
const written = ['role', 'loadout', 'model_class', 'model'] as const

/** Everything in which those who say something of a task go beyond each other, or beyond their run. */
export function boundProblems(layers: readonly Layer[], run: MergeRun): readonly MergeProblem[] {
  return [
    ...rolesRefused(layers, run),
    ...credentialsIn(layers),
    ...trustBeyond(lowestTrust(layers), run),
    ...toolsBeyond(layers),
  ]
}

/** The first of those that name the lowest level. */
export function lowestTrust(layers: readonly Layer[]): Layer | undefined {
  let lowest: Layer | undefined
  for (const layer of layers) {
    const level = layer.says.trust_level
    if (level === undefined) continue
    const before = lowest?.says.trust_level
    if (before === undefined || trustRank(level) < trustRank(before)) lowest = layer
  }
  return lowest
}

function trustBeyond(layer: Layer | undefined, run: MergeRun): readonly MergeProblem[] {
  const level = layer?.says.trust_level
  const most = run.security_policy?.max_trust_level ?? 'operator'
  if (layer === undefined || level === undefined || trustRank(level) <= trustRank(most)) return []
  return [
    {
      ...placeIn(layer, 'trust_level'),
      reason: `the trust level ${level} of ${whose(layer)} is above the max_trust_level ${most}`,
    },
  ]
}

/** A list of tools binds whoever comes before it; what a run names is for those that name none. */
function toolsBeyond(layers: readonly Layer[]): readonly MergeProblem[] {
  const bounds = layers.filter(({ name, says }) => name !== 'run' && (says.tools ?? []).length > 0)
  return bounds.flatMap((layer, index) =>
    bounds.slice(index + 1).flatMap((bound) => {
      const beyond = (layer.says.tools ?? []).filter((tool) => bound.says.tools?.includes(tool) !== true)
      if (beyond.length === 0) return []
      const reason = `the tools of ${whose(layer)} go beyond those of ${whose(bound)}: ${beyond.join(', ')}`
      return [{ ...placeIn(layer, 'tools'), reason }]
    }),
  )
}

/** The task's own role was held against those of the run when it was read. */
function rolesRefused(layers: readonly Layer[], run: MergeRun): readonly MergeProblem[] {
  const layer = layers.find(({ says }) => says.role !== undefined)
  const role = layer?.says.role
  if (layer === undefined || layer.name === 'task' || role === undefined || run.roles?.includes(role) !== false) return []
  return [{ ...placeIn(layer, 'role'), reason: `the role ${role} of ${whose(layer)} is none of the roles of the run` }]
}

/** What goes into receipts holds no credential. */
function credentialsIn(layers: readonly Layer[]): readonly MergeProblem[] {
  return layers.flatMap((layer) =>
    written
      .filter((field) => holdsCredential(layer.says[field] ?? ''))
      .map((field) => ({ ...placeIn(layer, field), reason: `the ${field} of ${whose(layer)} looks like a credential` })),
  )
}

const names: Readonly<Record<LayerName, string>> = {
  task: 'the task',
  agent_profile: 'the profile',
  role_preset: 'the preset of its role',
  run: 'the run',
}

function whose({ name }: Layer): string {
  return names[name]
}
