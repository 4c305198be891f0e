import type { Hash } from 'node:crypto'
import type { RunHeader } from '../engine/run-header.ts'
import type { FleetRunSpec } from '../protocol/run-spec.ts'
import type { Steps } from '../protocol/steps.ts'
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
  'worker_defaults',
  'budget',
  'open',
]

/** The unchanging part of a new run. */
export function headerOf(
  spec: FleetRunSpec,
  facts: {
    readonly ids: Ids
    readonly now: number
    readonly workspace: string
    readonly keyed?: { readonly key: string; readonly digest: string } | undefined
  },
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
    ...(spec.worker_defaults !== undefined && { worker_defaults: spec.worker_defaults }),
    ...(spec.budget !== undefined && { budget: spec.budget }),
    open: spec.open ?? false,
    createdAt: facts.now,
    ...facts.keyed,
    workspace: facts.workspace,
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  }
}

/**
 * In steps: a text that is equal for specs that ask for the same (RU2). It is the sha256 of the spec as JSON with the members of every
 * object in order; stores keep it.
 */
export function* digesting(spec: FleetRunSpec): Steps<string> {
  // Loaded when it is first needed: only runs with a key have a digest.
  const { createHash } = process.getBuiltinModule('node:crypto')
  const hash = createHash('sha256')
  let before = '{'
  for (const [field, value] of Object.entries(sorted('', spec) as FleetRunSpec)) {
    if (value === undefined) continue
    hash.update(`${before}${JSON.stringify(field)}:`)
    if (Array.isArray(value)) yield* hashingList(hash, value)
    else hash.update(JSON.stringify(value, sorted))
    before = ','
  }
  return hash.update('}').digest('hex')
}

function* hashingList(hash: Hash, list: readonly unknown[]): Steps {
  let before = '['
  for (const item of list) {
    hash.update(before + JSON.stringify(item, sorted))
    before = ','
    yield
  }
  hash.update(before === '[' ? '[]' : ']')
}

/** The order in which the members of an object were written does not count. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
