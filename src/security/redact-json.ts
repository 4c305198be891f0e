import type { Json } from '../protocol/json.ts'

/**
 * Redacts every text of a value: strings, names of members, and numbers and lists of numbers that spell a secret. Gives the same value
 * where nothing was found; what is redacted is a string.
 */
export function redactJson(value: Json, text: (text: string) => string): Json {
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number') return spelled(value, String(value), text)
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? redactList(value, text) : redactObject(value as { readonly [key: string]: Json }, text)
}

function redactList(list: readonly Json[], text: (text: string) => string): Json {
  if (list.length > 1 && list.every((item) => typeof item === 'number')) {
    const told = spelled(list as Json, list.join(','), text)
    if (told !== list) return told
  }
  const items = list.map((item) => redactJson(item, text))
  return items.every((item, index) => item === list[index]) ? (list as Json) : items
}

function redactObject(object: { readonly [key: string]: Json }, text: (text: string) => string): Json {
  const members = Object.entries(object).map(([name, member]) => [name, member, text(name), redactJson(member, text)] as const)
  if (members.every(([name, member, newName, newMember]) => name === newName && member === newMember)) return object
  const taken = new Set<string>()
  return Object.fromEntries(
    members.map(([, , name, member]) => {
      // Two names that were different stay so.
      let free = name
      for (let number = 2; taken.has(free); number++) free = `${name} ${number}`
      taken.add(free)
      return [free, member]
    }),
  )
}

function spelled(value: Json, spelling: string, text: (text: string) => string): Json {
  const told = text(spelling)
  return told === spelling ? value : told
}
