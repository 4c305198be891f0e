import { isRecord } from './field.ts'

const perMember = 8

/** About how many characters a value takes as JSON, without making the text. */
export function weigh(value: unknown): number {
  let weight = perMember
  if (typeof value === 'string') weight += value.length
  else if (Array.isArray(value)) for (const item of value) weight += weigh(item)
  else if (isRecord(value)) for (const key of Object.keys(value)) weight += key.length + weigh(value[key])
  return weight
}
