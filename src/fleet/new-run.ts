import { createHash } from 'node:crypto'
import type { RunHeader } from '../engine/run-header.ts'
import type { FleetRunSpec } from '../protocol/run-spec.ts'
import type { Ids } from '../ports/ids.ts'

const headerFields = [
  'id',
  'name',
  'tasks',
  'labels',
  'worker_specs',
  'security_policy',
  'target',
  'workflow',
  'roles',
  'max_workers',
  'open',
]

/** The unchanging part of a new run. */
export function headerOf(
  spec: FleetRunSpec,
  facts: { readonly ids: Ids; readonly now: number; readonly workspace: string; readonly key?: string },
): RunHeader {
  const extra = Object.entries(spec).filter(([field]) => !headerFields.includes(field))
  return {
    id: spec.id ?? facts.ids.next('run'),
    name: spec.name,
    short: facts.ids.next('r').replace(/^r-/, '').slice(0, 10),
    labels: spec.labels,
    worker_specs: spec.worker_specs,
    ...(spec.security_policy !== undefined && { security_policy: spec.security_policy }),
    ...(spec.target !== undefined && { target: spec.target }),
    ...(spec.workflow !== undefined && { workflow: spec.workflow }),
    ...(spec.roles !== undefined && { roles: spec.roles }),
    ...(spec.max_workers !== undefined && { max_workers: spec.max_workers }),
    open: spec.open ?? false,
    createdAt: facts.now,
    ...(facts.key !== undefined && { key: facts.key, digest: digestOf(spec) }),
    workspace: facts.workspace,
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  }
}

/** Equal for specs that ask for the same (RU2). */
export function digestOf(spec: FleetRunSpec): string {
  return createHash('sha256').update(JSON.stringify(spec, sorted)).digest('hex')
}

/** The order in which the members of an object were written does not count. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
