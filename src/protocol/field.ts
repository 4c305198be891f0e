import { z } from 'zod'
import type { Json } from './json.ts'
import { describeFound, describeHidden } from './problem.ts'
import { canonicalTimestamp } from './timestamp.ts'
import { tokenPattern } from './token.ts'

// The building blocks of the contract's schemas. Each says what it expects as a phrase, which becomes the error message (WI6).

/** An object that keeps fields that it does not know (WI2), and holds no member without a value (WI3). */
export function object<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.looseObject(shape).overwrite(withoutAbsent)
}

/** A field that may be absent or null, which is the same (WI3). */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema
    .nullable()
    .transform((value) => value ?? undefined)
    .optional()
}

/** A list that is empty when absent, and not null (WI3). */
export function list<Schema extends z.ZodType>(item: Schema) {
  return z.array(item).default([])
}

/** A map from text that is empty when absent, and not null (WI3). */
export function map<Schema extends z.ZodType>(value: Schema) {
  return z.record(z.string(), value).default({})
}

/** What JSON Schema should say of a field beyond what it can see in its schema (WI8). */
export const schemaNotes = z.registry<{
  type?: 'integer'
  format?: 'date-time'
  description?: string
  minItems?: number
  maxItems?: number
}>()

/** Text that passes a test; the phrase says which. */
export function text(expected: string, fits: (value: string) => boolean) {
  return z.string({ error: expected }).refine(fits, { error: expected }).register(schemaNotes, { description: expected })
}

/** As `text`, for what may hold a secret when it does not fit: an error counts it instead of showing it (SE5). */
export function hiddenText(expected: string, fits: (value: string) => boolean) {
  return z
    .string({ error: expected })
    .superRefine((value, context) => {
      if (!fits(value)) context.addIssue({ code: 'custom', message: expected, params: { got: describeHidden(value) } })
    })
    .register(schemaNotes, { description: expected })
}

/** Text that matches a pattern; the phrase says which. */
export function pattern(expected: string, regex: RegExp) {
  return z.string({ error: expected }).regex(regex, { error: expected })
}

// zod's own checks for integers and for the length of lists would keep the checks of the whole document from running, so that not all
// problems would be told at once: refinements take their place.

/** A list whose length has a lower or an upper bound. */
export function sized<Item extends z.ZodType>(item: Item, bounds: { readonly minItems?: number; readonly maxItems?: number }) {
  const { minItems = 0, maxItems = Infinity } = bounds
  const message = maxItems === Infinity ? `a list of at least ${minItems}` : `a list of at most ${maxItems}`
  return z
    .array(item)
    .superRefine(({ length }, context) => {
      if (length >= minItems && length <= maxItems) return
      context.addIssue({ code: 'custom', message, params: { got: `a list of ${length}` } })
    })
    .register(schemaNotes, bounds)
}

function integer(from: number, to: number) {
  const error = `an integer from ${from} to ${to}`
  return z
    .number({ error })
    .min(from, { error })
    .max(to, { error })
    .refine(Number.isInteger, { error })
    .register(schemaNotes, { type: 'integer' })
}

/** A field that is made when it is first used: to make all of them takes longer than to load the rest of the contract. */
export function field<Schema extends z.ZodType>(make: () => Schema): () => Schema {
  let made: Schema | undefined
  return () => (made ??= make())
}

export const u16 = field(() => integer(0, 65_535))
export const u32 = field(() => integer(0, 4_294_967_295))
export const i32 = field(() => integer(-2_147_483_648, 2_147_483_647))
/** Above 2^53-1 a number would be rounded: it is refused (WI5). */
export const u64 = field(() => integer(0, Number.MAX_SAFE_INTEGER))
export const atLeastOne = field(() => integer(1, 4_294_967_295))
export const f64 = field(() => z.number())
export const flag = field(() => z.boolean())

/** Text that is more than white space. */
export const filled = field(() => text('a non-blank string', isFilled))
/** One printable line of text: hosts, models, words of a command line. */
export const line = field(() => text('one non-blank line', (value) => isFilled(value) && isPrintable(value)))
/** 1–256 bytes on one printable line (WI9). */
export const displayName = field(() =>
  text('a name of 1 to 256 bytes on one printable line', (value) => {
    // No character takes more than three bytes in UTF-8 for each of its units.
    return isFilled(value) && isPrintable(value) && (value.length <= 85 || new TextEncoder().encode(value).length <= 256)
  }),
)
/** 1–128 bytes of `[A-Za-z0-9._-]`, and not `.` or `..` (WI9). */
export const token = field(() => pattern('1 to 128 characters of A-Z a-z 0-9 . _ -, not "." or ".."', tokenPattern))
/** A path or glob. Where it may lead is checked when it is used (WS1, AR3). */
export const filePath = field(() => text('a path without control characters', (value) => isFilled(value) && isPrintable(value)))
/** The name of an environment variable. */
export const variableName = field(() => pattern('the name of an environment variable', /^[^\s=\0]+$/))
/** An RFC 3339 timestamp, written as UTC with milliseconds. */
export const timestamp = field(() =>
  text('an RFC 3339 timestamp', (value) => canonicalTimestamp(value) !== undefined)
    .overwrite((value) => canonicalTimestamp(value) ?? value)
    .register(schemaNotes, { format: 'date-time' }),
)
/** Any JSON value, null included, but present. */
export const json = field(() => z.custom<Json>((value) => value !== undefined, { error: 'a JSON value', abort: false }))

/** A list of distinct items; each repetition is a problem at its own index. */
export function distinct<Item extends z.ZodType<string>>(item: Item) {
  return z
    .array(item)
    .superRefine(
      (values, context) => {
        if (!Array.isArray(values)) return
        const seen = new Set<unknown>()
        for (const [index, value] of values.entries()) {
          if (seen.has(value)) {
            const params = { got: `${describeFound(value, [])} again` }
            context.addIssue({ code: 'custom', path: [index], message: 'each item once', params })
          }
          seen.add(value)
        }
      },
      { when: () => true },
    )
    .default([])
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isFilled(value: string): boolean {
  return value.trim() !== ''
}

function isPrintable(value: string): boolean {
  return !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value)
}

/** Removes the members that hold no value (WI3). */
export function withoutAbsent<Value extends object>(value: Value): Value {
  for (const key in value) {
    if (value[key] === undefined) delete value[key]
  }
  return value
}
