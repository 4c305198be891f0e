import { z } from 'zod'
import { isRecord } from './field.ts'

/** The other names and words that a schema reads, each with what it is read as, for documents that list them. */
export const aliasNotes = z.registry<{ readonly aliases: Readonly<Record<string, string>> }>()

/** Reads other names of fields, which are never written (WI4), where `applies`. An alias beside its name is a problem. */
export function aliased<Schema extends z.ZodType>(
  schema: Schema,
  aliases: Readonly<Record<string, string>>,
  applies: (value: Readonly<Record<string, unknown>>) => boolean = () => true,
) {
  const names = Object.entries(aliases)
  const checked = schema.superRefine(
    (value, context) => {
      for (const [alias, name] of names) {
        if (!isRecord(value) || !applies(value) || !Object.hasOwn(value, alias)) continue
        const params = { got: 'both' }
        context.addIssue({ code: 'custom', path: [alias], message: `one of "${name}" and its alias "${alias}"`, params })
      }
    },
    { when: () => true },
  )
  const reading = z.preprocess<unknown, Schema, z.input<Schema>>(
    (value) => (isRecord(value) && applies(value) ? renamed(value, names) : value),
    checked,
  )
  aliasNotes.add(reading, { aliases })
  return reading
}

/** Reads other words for a value, or for the member of an object that tells its kind (WI4). */
export function alsoRead<Schema extends z.ZodType>(schema: Schema, words: Readonly<Record<string, string>>, member?: string) {
  const word = (value: unknown): unknown => (typeof value === 'string' && Object.hasOwn(words, value) ? words[value] : value)
  const reading = z.preprocess<unknown, Schema, z.input<Schema>>((value) => {
    if (member === undefined) return word(value)
    return isRecord(value) && Object.hasOwn(value, member) ? { ...value, [member]: word(value[member]) } : value
  }, schema)
  aliasNotes.add(reading, { aliases: words })
  return reading
}

/** A second alias of one name stays where it is, for the check to find. */
function renamed(value: Readonly<Record<string, unknown>>, names: readonly (readonly [string, string])[]): unknown {
  if (!names.some(([alias]) => Object.hasOwn(value, alias))) return value
  const result = { ...value }
  for (const [alias, name] of names) {
    if (!Object.hasOwn(result, alias) || Object.hasOwn(result, name)) continue
    result[name] = result[alias]
    delete result[alias]
  }
  return result
}
