import type { Json } from '../protocol/json.ts'
import { copyJson } from '../protocol/json-copy.ts'
import { formatPath } from '../protocol/problem.ts'

/** What a value is as JSON, or everything about it that JSON cannot carry, each with its path. */
export type JsonOutput =
  { readonly ok: true; readonly json: Json | undefined } | { readonly ok: false; readonly complaints: string }

/**
 * Takes a value that a handler made for what it is as JSON, and never changes it in silence: a Date, a Map, NaN, a function or a
 * cycle is refused, `toJSON` is not asked. Members that are undefined are absent, and undefined at the top is no output.
 */
export function toJson(value: unknown, name = 'output'): JsonOutput {
  const { value: json, problems } = copyJson(value)
  if (problems.length === 0) return { ok: true, json }
  const complaints = problems.map(({ path, expected, got }) => `${formatPath([name, ...path])}: expected ${expected}, got ${got}`)
  return { ok: false, complaints: complaints.join('; ') }
}
