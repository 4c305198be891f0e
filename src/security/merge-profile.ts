import type { FleetTaskWorkerProfile } from '../protocol/task.ts'
import { boundProblems, lowestTrust } from './profile-bounds.ts'
import { layersOf } from './profile-layers.ts'
import type { Layer, MergedFields, MergeProblem, MergeRun, ProfileTables } from './profile-layers.ts'

/** The task as it is to be stored, or all that is refused. */
export type Merged = { readonly task: MergedFields } | { readonly problems: readonly MergeProblem[] }

const scalars = ['role', 'loadout', 'model_class', 'model', 'tool_profile', 'instructions'] as const
const lists = ['tools', 'capabilities'] as const

/**
 * What a task asks of its worker, after its profile, the preset of its role, and its run: each value from the first that names one, the
 * trust level the lowest that any names, and no tools beyond those of the profile and the preset. What would go beyond the policy of the
 * run is refused. The task itself, but for what it claims to be merged, when nobody else says anything.
 */
export function mergeProfile(task: MergedFields, run: MergeRun, tables: ProfileTables): Merged {
  const own = withoutResolution(task.worker)
  const found = layersOf({ worker: own, timeout_seconds: task.timeout_seconds }, run, tables)
  if ('problems' in found) return found
  const { layers, profile } = found
  const problems = boundProblems(layers, run)
  if (problems.length > 0) return { problems }
  const sources: Record<string, string> = {}
  const take = <Value>(field: string, layer: Layer | undefined, value: Value): Value => {
    if (layer !== undefined) sources[field] = `${layer.name}.${field}`
    return value
  }
  const worker: Record<string, unknown> = { ...own }
  if (profile !== undefined) worker['agent_profile'] = take('agent_profile', layerOfProfile(own, layers), profile.id)
  for (const field of scalars) {
    const layer = layers.find(({ says }) => says[field] !== undefined)
    if (layer !== undefined) worker[field] = take(field, layer, layer.says[field])
  }
  for (const field of lists) {
    const layer = layers.find(({ says }) => (says[field] ?? []).length > 0)
    worker[field] = take(field, layer, layer?.says[field] ?? [])
  }
  const lowest = lowestTrust(layers)
  if (lowest !== undefined) worker['trust_level'] = take('trust_level', lowest, lowest.says.trust_level)
  const timed = layers.find(({ says }) => says.timeout_seconds !== undefined)
  const timeout_seconds = take('timeout_seconds', timed, timed?.says.timeout_seconds)
  if (layers.every(({ name }) => name === 'task')) return { task: { ...(own !== undefined && { worker: own }), timeout_seconds } }
  const resolution = { ...(profile !== undefined && { profile_origin: profile.origin }), sources }
  return { task: { worker: { ...worker, resolution } as unknown as FleetTaskWorkerProfile, timeout_seconds } }
}

function withoutResolution(worker: FleetTaskWorkerProfile | undefined): FleetTaskWorkerProfile | undefined {
  if (worker?.resolution === undefined) return worker
  const { resolution: _, ...rest } = worker
  return rest
}

function layerOfProfile(own: FleetTaskWorkerProfile | undefined, layers: readonly Layer[]): Layer | undefined {
  return layers.find(({ name }) => name === (own?.agent_profile === undefined ? 'run' : 'task'))
}
