import type { AgentProfile, RolePreset } from '../protocol/profile.ts'
import type { FleetTrustLevel } from '../protocol/security.ts'
import type { FleetTaskSpec, FleetTaskWorkerProfile } from '../protocol/task.ts'

/** A profile or a preset, with who gave it: `built-in`, or `fleet`. */
export interface Known<Definition> {
  readonly origin: string
  readonly definition: Definition
}

/** Profiles and presets by name. */
export interface ProfileTables {
  readonly profiles: ReadonlyMap<string, Known<AgentProfile>>
  readonly roles: ReadonlyMap<string, Known<RolePreset>>
}

/** What a run says of all its tasks. */
export interface MergeRun {
  readonly worker_defaults?: FleetTaskWorkerProfile | undefined
  readonly roles?: readonly string[] | undefined
  readonly security_policy?: { readonly max_trust_level: FleetTrustLevel } | undefined
}

/** What is refused: the field of the task, or of the run, that asks for it. */
export interface MergeProblem {
  readonly of: 'task' | 'run'
  readonly field: string
  readonly reason: string
}

/** What of a task is merged. */
export type MergedFields = Pick<FleetTaskSpec, 'worker' | 'timeout_seconds'>

export type LayerName = 'task' | 'agent_profile' | 'role_preset' | 'run'

/** One of those that say something of a task, the first before the next. */
export interface Layer {
  readonly name: LayerName
  readonly says: Partial<FleetTaskWorkerProfile> & Partial<Pick<FleetTaskSpec, 'timeout_seconds'>>
  /** The field that brought it in. */
  readonly place: Omit<MergeProblem, 'reason'> | undefined
}

/** Everybody who says something of the task, the first before the next. */
export function layersOf(
  task: MergedFields,
  { worker_defaults: defaults }: MergeRun,
  { profiles, roles }: ProfileTables,
):
  | { readonly layers: readonly Layer[]; readonly profile: { readonly id: string; readonly origin: string } | undefined }
  | { readonly problems: readonly MergeProblem[] } {
  const layers: Layer[] = [{ name: 'task', says: { ...task.worker, timeout_seconds: task.timeout_seconds }, place: undefined }]
  const id = task.worker?.agent_profile ?? defaults?.agent_profile
  const profile = id === undefined ? undefined : profiles.get(id)
  if (id !== undefined) {
    const place = placeOf(task.worker?.agent_profile === undefined ? 'run' : 'task', 'agent_profile')
    if (profile === undefined) {
      const reason = `no agent profile ${JSON.stringify(id)} is registered; there are ${[...profiles.keys()].join(', ')}`
      return { problems: [{ ...place, reason }] }
    }
    layers.push({ name: 'agent_profile', says: profile.definition, place })
  }
  const named = layers.find(({ says }) => says.role !== undefined)
  const role = named?.says.role ?? defaults?.role
  const preset = role === undefined ? undefined : roles.get(role)
  if (preset !== undefined) {
    const place = named === undefined ? placeOf('run', 'role') : (named.place ?? placeOf('task', 'role'))
    layers.push({ name: 'role_preset', says: preset.definition, place })
  }
  if (defaults !== undefined) layers.push({ name: 'run', says: defaults, place: undefined })
  return { layers, profile: profile === undefined || id === undefined ? undefined : { id, origin: profile.origin } }
}

function placeOf(of: MergeProblem['of'], field: string): Omit<MergeProblem, 'reason'> {
  return { of, field: `${of === 'run' ? 'worker_defaults' : 'worker'}.${field}` }
}

/** The field to mend for what a layer says of a field. */
export function placeIn(layer: Layer, field: string): Omit<MergeProblem, 'reason'> {
  return layer.place ?? placeOf(layer.name === 'run' ? 'run' : 'task', field)
}
