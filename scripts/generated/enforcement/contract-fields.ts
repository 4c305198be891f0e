import * as protocol from 'flotilla/protocol'
import { z } from 'zod'
import { aliasNotes } from '../../../src/protocol/alias.ts'

/** A field, a value or a kind of a type of the contract, by its path, as `FleetScorerSpec.regex_match.pattern`. */
export interface ContractField {
  readonly path: string
  /** Set for another name that is read, never written (WI4). */
  readonly aliasOf?: string
}

/** A type whose fields stand flattened in another one has its rows once. */
const flattened: Readonly<Record<string, string>> = { FleetWorkerEvent: 'FleetWorkerEventPayload' }

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: string
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

/**
 * Every field of every type of the contract, read from its schemas: members of objects, nested ones too, kinds of unions with their
 * members, values of enumerations, and aliases. A type that is plain text is a field itself.
 */
export function contractFields(): ContractField[] {
  return protocol.fleetTypeNames.flatMap((name) => {
    const within = fieldsUnder(name, protocol.jsonSchema(name) as unknown as Schema)
    const shared = new Set(flattened[name] === undefined ? [] : pathsOf(flattened[name], name))
    const own = (within.length === 0 ? [name] : [...new Set(within)]).filter((path) => !shared.has(path))
    const aliases = Object.entries(aliasesOf(contractOf(name).schema))
    return [
      ...own.map((path): ContractField => ({ path })),
      ...aliases.map(([alias, of]): ContractField => ({ path: `${name}.${alias}`, aliasOf: `${name}.${of}` })),
    ]
  })
}

/** The paths of one type as they would be under the name of another one. */
function pathsOf(name: string, as: string): string[] {
  return fieldsUnder(as, protocol.jsonSchema(name) as unknown as Schema)
}

function fieldsUnder(path: string, schema: Schema): string[] {
  if (schema.$ref !== undefined) return []
  if (schema.oneOf !== undefined) return kindsUnder(path, schema.oneOf)
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((branch) => fieldsUnder(path, branch))
  if (schema.enum !== undefined) return path.includes('.') ? [] : schema.enum.map((value) => `${path}.${value}`)
  return membersUnder(path, Object.entries(schema.properties ?? {}))
}

/** Members that every kind has stand once, before the kinds. */
function kindsUnder(path: string, branches: readonly Schema[]): string[] {
  const every = branches.map(({ properties = {} }) => Object.entries(properties))
  const isShared = (name: string): boolean => every.every((members) => members.some(([other]) => other === name))
  const shared = (every[0] ?? []).filter(([name, member]) => isShared(name) && member.const === undefined)
  const kinds = every.flatMap((members) => {
    const kind = `${path}.${members.find(([, member]) => member.const !== undefined)?.[1].const ?? ''}`
    return [kind, ...membersUnder(kind, members.filter(([name]) => !isShared(name)))] // prettier-ignore
  })
  return [...membersUnder(path, shared), ...kinds]
}

function membersUnder(path: string, members: readonly (readonly [string, Schema])[]): string[] {
  return members.flatMap(([name, member]) => [`${path}.${name}`, ...fieldsUnder(`${path}.${name}`, member)])
}

function aliasesOf(schema: z.ZodType): Readonly<Record<string, string>> {
  const { aliases } = aliasNotes.get(schema) ?? { aliases: {} }
  return schema instanceof z.ZodPipe ? { ...aliases, ...aliasesOf(schema.def.out as z.ZodType) } : aliases
}

/** The contract that the package exports by a name. */
function contractOf(name: string): { readonly schema: z.ZodType } {
  const exported = new Map<string, unknown>(Object.entries(protocol)).get(name)
  if (typeof exported !== 'object' || exported === null || !('schema' in exported)) throw new Error(`${name} is no contract.`)
  return exported as { readonly schema: z.ZodType }
}
