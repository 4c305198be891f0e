import type { z } from 'zod'
import type { FleetError } from './errors.ts'
import type { Json } from './json.ts'
import { copyJson } from './json-copy.ts'
import { allAtOnce, type Steps } from './steps.ts'
import { describeFound, formatPath, invalidDocument, type DocumentPath, type DocumentProblem } from './problem.ts'

/** The canonical value of a schema: read-only, without the room for unknown fields that the schema leaves. */
export type Canonical<T> = [Json] extends [T]
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Canonical<Item>[]
      : { readonly [Key in keyof T as string extends Key ? (unknown extends T[Key] ? never : Key) : Key]: Canonical<T[Key]> }

/** What may be written for a schema: optional fields left out or null, defaults left out, unknown fields added. */
export type Writable<T> = [Json] extends [T]
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Writable<Item>[]
      : { readonly [Key in keyof T]: Writable<T[Key]> }

/** What reading a document gives. */
export type Reading<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly DocumentProblem[] }

/** One type of the contract: the value beside the TypeScript type of the same name (WI1). */
export interface Contract<Value, Input = unknown> {
  readonly typeName: string
  /** The zod schema of what may be written. It is for composing and for JSON Schema; read documents with `parse`. */
  readonly schema: z.ZodType<Value, Input>
  /**
   * The canonical value of a document: aliases replaced, defaults filled in, what is absent or null left out, known fields in the order
   * of the contract and unknown ones after them (WI1–WI4). It shares nothing with the input. Throws `invalid_document` with every
   * problem, each with its path (WI6).
   */
  parse(value: unknown): Value
  /** As `parse`, with the error returned instead of thrown. */
  safeParse(
    value: unknown,
  ): { readonly success: true; readonly data: Value } | { readonly success: false; readonly error: FleetError }
  /** As `parse`, with the problems as data. */
  read(value: unknown): Reading<Value>
}

/** The canonical type of a contract. */
export type ValueOf<C extends Contract<unknown>> = ReturnType<C['parse']>

/** The written type of a contract. */
export type InputOf<C extends Contract<unknown>> = z.input<C['schema']>

/** Makes a schema a type of the contract. It is composed when it is asked for first: most programs use few of the types. */
export function contract<Schema extends z.ZodType>(
  typeName: string,
  compose: () => Schema,
): Contract<Canonical<z.output<Schema>>, Writable<z.input<Schema>>> {
  // The same schema, seen read-only, and its output without the room for unknown fields.
  type Seen = z.ZodType<Canonical<z.output<Schema>>, Writable<z.input<Schema>>>
  let composed: Seen | undefined
  const schema = (): Seen => (composed ??= compose() as unknown as Seen)
  const read = (value: unknown): Reading<Canonical<z.output<Schema>>> => readCopy(schema(), copyJson(value))
  return {
    typeName,
    get schema() {
      return schema()
    },
    read,
    parse(value) {
      const reading = read(value)
      if (!reading.ok) throw invalidDocument(typeName, reading.problems)
      return reading.value
    },
    safeParse(value) {
      const reading = read(value)
      return reading.ok
        ? { success: true, data: reading.value }
        : { success: false, error: invalidDocument(typeName, reading.problems) }
    },
  }
}

/** Reads by a schema what `copyJson` gave. */
export function readCopy<Value>(schema: z.ZodType<Value>, copy: Copy): Reading<Value> {
  return allAtOnce(readingCopy(schema, copy))
}

/** What `copyJson` gives. */
export interface Copy {
  readonly value: unknown
  readonly problems: readonly DocumentProblem[]
}

/**
 * As `readCopy`, in steps. `standing` are problems that were found before, by the phrase that stands for them: where the schema
 * expects it, they are told in its place.
 */
export function* readingCopy<Value>(
  schema: z.ZodType<Value>,
  copy: Copy,
  standing: Readonly<Record<string, readonly DocumentProblem[]>> = {},
): Steps<Reading<Value>> {
  const result = parsed(schema, copy.value)
  const complaints = problemsOf(result.error, []).flatMap((problem) => standing[problem.expected] ?? problem)
  const problems = yield* mergingProblems(copy.problems, complaints)
  return problems.length > 0 || !result.success ? { ok: false, problems } : { ok: true, value: result.data }
}

/** Reads a part of a copy, at its path. What JSON could not carry in it is not told here. */
export function readPart<Value>(schema: z.ZodType<Value>, part: unknown, path: DocumentPath): Reading<Value> {
  const result = parsed(schema, part)
  return result.success ? { ok: true, value: result.data } : { ok: false, problems: problemsOf(result.error, path) }
}

/** Whoever wants to be told what is wrong goes a way that takes twice as long, so only what is wrong goes it. */
function parsed<Value>(schema: z.ZodType<Value>, value: unknown): z.ZodSafeParseResult<Value> {
  const result = schema.safeParse(value)
  return result.success ? result : schema.safeParse(value, telling)
}

type Issue = z.core.$ZodIssue

const telling: z.core.ParseContext<Issue> = {
  reportInput: true,
  error: ({ message, ...issue }) => message ?? expectation(issue),
}

function problemsOf(error: z.ZodError | undefined, path: DocumentPath): readonly DocumentProblem[] {
  return (error?.issues ?? []).flatMap((issue) => fromIssue(issue, path))
}

/** In steps. What JSON cannot carry comes first; a schema's complaint about the hole that it left would say the same again. */
export function* mergingProblems(
  unreadable: readonly DocumentProblem[],
  complaints: readonly DocumentProblem[],
): Steps<readonly DocumentProblem[]> {
  if (complaints.length === 0) return unreadable
  const holes = new Set(unreadable.map(({ path }) => formatPath(path)))
  const problems = new Map<string, DocumentProblem>()
  for (const problem of complaints) {
    const place = formatPath(problem.path)
    if (!holes.has(place)) problems.set(`${place} ${problem.expected}`, problem)
    yield
  }
  return [...unreadable, ...problems.values()]
}

/** The message of an issue is the phrase of what was expected: schemas bring their own, `expectation` fills in the rest. */
function fromIssue(issue: Issue, outer: DocumentPath): DocumentProblem[] {
  const path = [...outer, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))]
  if (issue.code === 'invalid_union') {
    const inner = issue.errors.find((branch) => branch.some(({ path: inside }) => inside.length > 0))
    if (inner !== undefined) return inner.flatMap((nested) => fromIssue(nested, path))
    if (issue.discriminator !== undefined) {
      const tag = issue.discriminator
      if (Array.isArray(issue.input)) return [{ path: path.slice(0, -1), expected: 'an object', got: 'a list' }]
      return [{ path, expected: issue.message, got: describeFound(memberOf(issue.input, tag), path) }]
    }
  }
  if (issue.code === 'custom' && typeof issue.params?.['got'] === 'string') {
    return [{ path, expected: issue.message, got: issue.params['got'] }]
  }
  return [{ path, expected: issue.message, got: describeFound(issue.input, path) }]
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

const typePhrases: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  nonoptional: 'a value',
  number: 'a finite number',
  object: 'an object',
  record: 'an object',
  string: 'a string',
}

function expectation(issue: Omit<z.core.$ZodRawIssue, 'message'>): string {
  if (issue.code === 'invalid_type') return typePhrases[String(issue['expected'])] ?? 'another type'
  if (issue.code === 'invalid_value') return oneOf(issue['values'])
  if (issue.code === 'invalid_union') return oneOf(issue['options'])
  return 'a value that fits the contract'
}

function oneOf(values: unknown): string {
  const words = Array.isArray(values) ? values.map(String) : []
  return words.length === 1 ? `"${words[0]}"` : `one of ${words.join(', ')}`
}
