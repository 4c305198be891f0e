import type { FleetEffectivePermissions, FleetReceipt, FleetResolvedRoute } from '../protocol/receipt.ts'
import type { RouteReport } from '../protocol/route.ts'
import type { FleetTaskSpec, FleetTaskWorkerProfile } from '../protocol/task.ts'

type Spec = Pick<FleetTaskSpec, 'worker'>

const told = ['role', 'loadout', 'model_class', 'model', 'tool_profile', 'trust_level'] as const

/** What a receipt says of the profile that applied, all of it from the task as it is stored; undefined when nothing was asked for. */
export function appliedProfile({ worker }: Spec): FleetReceipt['profile'] {
  if (worker === undefined) return undefined
  const sources = sourcesOf(worker)
  if (Object.keys(sources).length === 0) return undefined
  const values = told.flatMap((field) => (worker[field] === undefined ? [] : [[field, worker[field]]]))
  return { ...profileOf(worker), ...(Object.fromEntries(values) as Partial<FleetTaskWorkerProfile>), sources }
}

/** What was enforced, with the tools and the profile that the worker was given. */
export function withProfile(permissions: FleetEffectivePermissions, { worker }: Spec): FleetEffectivePermissions {
  if (worker === undefined || (worker.agent_profile === undefined && worker.tools.length === 0)) return permissions
  const { source, ...rest } = permissions
  return {
    ...rest,
    ...(worker.tools.length > 0 && { tool_scope: 'explicit' as const, tools: worker.tools }),
    ...profileOf(worker),
    source,
  }
}

/**
 * The route to the model, of what the worker reported and what the profile asked for. Undefined unless all that a route must say is known:
 * nothing is invented.
 */
export function resolvedRoute({ worker }: Spec, report: RouteReport | null): FleetResolvedRoute | undefined {
  const wire_model_id = report?.wire_model_id ?? worker?.model
  if (report === null || wire_model_id === undefined) return undefined
  const { role, loadout, model_class, model } = worker ?? {}
  const sources = worker === undefined ? {} : sourcesOf(worker)
  const { provider_id, provider_exact_id, provider_kind, canonical_model, protocol, model_route, reasoning_effort } = report
  const route = {
    ...{ provider_id, provider_exact_id, provider_kind, canonical_model, wire_model_id, protocol },
    ...{ role, loadout, model_class, model_route, reasoning_effort },
    role_source: sources['role'],
    loadout_source: sources['loadout'],
    model_class_source: sources['model_class'],
    // A worker may say which wire id stands for the model that was asked for; where none was asked for, it chose.
    model_source: model === undefined ? 'worker' : sources['model'],
    source: 'worker',
  }
  const known = Object.entries(route).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known) as unknown as FleetResolvedRoute
}

function profileOf({ agent_profile, resolution }: FleetTaskWorkerProfile) {
  return {
    ...(agent_profile !== undefined && { profile_id: agent_profile }),
    ...(resolution?.profile_origin !== undefined && { profile_origin: resolution.profile_origin }),
  }
}

/** Where each value comes from: all of them from the task itself, unless something was merged. */
function sourcesOf({ resolution, ...own }: FleetTaskWorkerProfile): Readonly<Record<string, string>> {
  if (resolution !== undefined) return resolution.sources
  const fields = [...told, 'tools', 'capabilities', 'instructions'] as const
  const given = fields.filter((field) => own[field] !== undefined && own[field].length > 0)
  return Object.fromEntries(given.map((field) => [field, `task.${field}`]))
}
