import type { AgentProfile, RolePreset } from '../protocol/profile.ts'
import { holdsCredential } from '../protocol/route.ts'
import type { FleetTrustLevel } from '../protocol/security.ts'
import { trustRank } from '../protocol/security.ts'
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

export type Merged =
  { readonly task: Pick<FleetTaskSpec, 'worker' | 'timeout_seconds'> } | { readonly problems: readonly MergeProblem[] }

type LayerName = 'task' | 'agent_profile' | 'role_preset' | 'run'

/** One of those that say something of a task, the first before the next. */
interface Layer {
  readonly name: LayerName
  readonly says: Partial<FleetTaskWorkerProfile> & Partial<Pick<FleetTaskSpec, 'timeout_seconds'>>
  /** The field that brought it in. */
  readonly place: Omit<MergeProblem, 'reason'> | undefined
}

const scalars = ['role', 'loadout', 'model_class', 'model', 'tool_profile', 'instructions'] as const
const lists = ['tools', 'capabilities'] as const
const written = ['role', 'loadout', 'model_class', 'model'] as const

/**
 * What a task asks of its worker, after its profile, the preset of its role, and its run: each value from the first that names one, the
 * trust level the lowest that any names, and no tools beyond those of the profile and the preset. What would go beyond the policy of the
 * run is refused. The task itself, but for what it claims to be merged, when nobody else says anything.
 */
export function mergeProfile(
  task: Pick<FleetTaskSpec, 'worker' | 'timeout_seconds'>,
  run: MergeRun,
  tables: ProfileTables,
): Merged {
  const own = withoutResolution(task.worker)
  const found = layersOf({ worker: own, timeout_seconds: task.timeout_seconds }, run, tables)
  if ('problems' in found) return found
  const { layers, profile } = found
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
  const problems = [...rolesRefused(layers, run), ...credentialsIn(layers), ...trustBeyond(lowest, run), ...toolsBeyond(layers)]
  if (problems.length > 0) return { problems }
  if (layers.every(({ name }) => name === 'task')) return { task: { ...(own !== undefined && { worker: own }), timeout_seconds } }
  const resolution = { ...(profile !== undefined && { profile_origin: profile.origin }), sources }
  return { task: { worker: { ...worker, resolution } as unknown as FleetTaskWorkerProfile, timeout_seconds } }
}

function withoutResolution(worker: FleetTaskWorkerProfile | undefined): FleetTaskWorkerProfile | undefined {
  if (worker?.resolution === undefined) return worker
  const { resolution: _, ...rest } = worker
  return rest
}

/** Everybody who says something of the task, the first before the next. */
function layersOf(
  task: Pick<FleetTaskSpec, 'worker' | 'timeout_seconds'>,
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
function placeIn(layer: Layer, field: string): Omit<MergeProblem, 'reason'> {
  return layer.place ?? placeOf(layer.name === 'run' ? 'run' : 'task', field)
}

function layerOfProfile(own: FleetTaskWorkerProfile | undefined, layers: readonly Layer[]): Layer | undefined {
  return layers.find(({ name }) => name === (own?.agent_profile === undefined ? 'run' : 'task'))
}

/** The first of those that name the lowest level. */
function lowestTrust(layers: readonly Layer[]): Layer | undefined {
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
