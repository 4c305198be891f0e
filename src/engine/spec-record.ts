import type { FleetTaskSpec } from '../protocol/task.ts'

/**
 * A spec as an entry, or the record of its task, holds it. Where it says no more than most do, it is without its id, which stands beside it, without
 * a name that is the same, and without what is empty; otherwise it is whole.
 */
export type SpecRecord = Partial<FleetTaskSpec>

/** What specs that say nothing share; whoever changes it is stopped. */
export const none: readonly never[] = Object.freeze([])
export const noMetadata: FleetTaskSpec['metadata'] = Object.freeze({})

/** What is empty in most specs, in the order of the contract. Shared by all that are read: what is handed out is a copy. */
const empty = {
  instructions: '',
  input_files: none,
  context: none,
  tags: none,
  expected_artifacts: none,
  metadata: noMetadata,
  depends_on: none,
} satisfies Partial<FleetTaskSpec>

/** What stands behind them in the contract. What would stand between them, and fields that the contract does not know, make a spec whole. */
const behind: ReadonlySet<string> = new Set(['handler', 'input', 'concurrency_key', 'not_before'])

export function specRecord(spec: FleetTaskSpec): SpecRecord {
  const record: Record<string, unknown> = {}
  for (const field of Object.keys(spec) as (keyof FleetTaskSpec)[]) {
    const value = spec[field]
    if (value === undefined || field === 'id' || (field === 'name' && value === spec.id)) continue
    const mayBeEmpty = Object.hasOwn(empty, field)
    if (!mayBeEmpty && field !== 'name' && !behind.has(field)) return spec
    if (!mayBeEmpty || !isEmpty(value)) record[field] = value
  }
  return record
}

/** The spec that a record holds. */
export function wholeSpec(id: string, record: SpecRecord): FleetTaskSpec {
  if (record.id !== undefined) return record as FleetTaskSpec
  // Written out: objects that are spread come out several times as slow to read.
  const { instructions, input_files, context, tags, expected_artifacts, metadata, depends_on } = empty
  const spec = { id, name: id, instructions, input_files, context, tags, expected_artifacts, metadata, depends_on }
  return Object.assign(spec, record)
}

/** Of a text, a list or an object. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' ? Object.keys(value ?? {}).length === 0 : value === ''
}
