import type { FleetTaskSpec } from '../protocol/task.ts'

/** A spec as a record of its task holds it: without its id, which the record is kept by, and without what is empty or as its id is. */
export type SpecRecord = Partial<FleetTaskSpec>

/** Shared by all that are read. */
const none: readonly never[] = []

/** What most specs, and nearly all of tasks that have ended, have there. */
const empty: Omit<FleetTaskSpec, 'id' | 'name'> = {
  instructions: '',
  input_files: none,
  context: none,
  tags: none,
  expected_artifacts: none,
  metadata: {},
  depends_on: none,
}

export function specRecord(spec: FleetTaskSpec): SpecRecord {
  const record: Record<string, unknown> = {}
  for (const field of Object.keys(spec) as (keyof FleetTaskSpec)[]) {
    const value = spec[field]
    if (value === undefined || field === 'id' || (field === 'name' && value === spec.id)) continue
    if (field in empty && isEmpty(value)) continue
    record[field] = value
  }
  return record as SpecRecord
}

/** The spec that a record holds; one that holds all of it is taken as well. */
export function wholeSpec(id: string, record: SpecRecord): FleetTaskSpec {
  return { id, name: id, ...empty, ...record }
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === ''
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0
}
