import type { Json } from './json.ts'

const perMember = 8

/** About how many characters a value takes as JSON, without making the text. */
export function weigh(value: Json | undefined): number {
  if (typeof value === 'string') return value.length + perMember
  if (typeof value !== 'object' || value === null) return perMember
  let weight = perMember
  if (Array.isArray(value)) for (const item of value) weight += weigh(item)
  else for (const key in value) weight += key.length + weigh((value as { readonly [name: string]: Json })[key])
  return weight
}
