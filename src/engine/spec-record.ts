import type { FleetTaskSpec } from '../protocol/task.ts'

/**
 * A spec as an entry, or the record of its task, holds it. Where it says no more than most do, it is without its id, which stands beside it, without
 * a name that is the same, and without what is empty; otherwise it is whole.
 */
export type SpecRecord = Partial<FleetTaskSpec>

/** What is empty in most specs, and in nearly all of tasks that have ended, in the order of the contract. */
const { id: _, name: __, ...shared } = emptySpec('')

/** What stands behind them in the contract. What would stand between them, and fields that the contract does not know, make a spec whole. */
const behind: ReadonlySet<string> = new Set(['handler', 'input', 'concurrency_key', 'not_before'])

export function specRecord(spec: FleetTaskSpec): SpecRecord {
  const record: Record<string, unknown> = {}
  for (const field of Object.keys(spec) as (keyof FleetTaskSpec)[]) {
    const value = spec[field]
    if (value === undefined || field === 'id' || (field === 'name' && value === spec.id)) continue
    const mayBeEmpty = Object.hasOwn(shared, field)
    if (!mayBeEmpty && field !== 'name' && !behind.has(field)) return spec
    if (!mayBeEmpty || !isEmpty(value)) record[field] = value
  }
  return record
}

/** The spec that a record holds. What is empty in those of tasks that have ended (`isShort`) is shared by all: they are not handed out. */
export function wholeSpec(id: string, record: SpecRecord, isShort = false): FleetTaskSpec {
  if (record.id !== undefined) return record as FleetTaskSpec
  return isShort ? { id, name: id, ...shared, ...record } : Object.assign(emptySpec(id), record)
}

/** Of a text, a list or an object. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' ? Object.keys(value ?? {}).length === 0 : value === ''
}

/** A spec that says no more than its id. */
function emptySpec(id: string) {
  return {
    id,
    name: id,
    instructions: '',
    input_files: [],
    context: [],
    tags: [],
    expected_artifacts: [],
    metadata: {},
    depends_on: [],
  }
}
