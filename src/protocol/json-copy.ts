import type { Json } from './json.ts'
import type { DocumentProblem } from './problem.ts'

/** A value as JSON would carry it, and what of it JSON cannot carry. */
export interface JsonCopy {
  /** Shares nothing with the value that it was made from. What is in `problems` is left out of it. */
  readonly value: Json | undefined
  readonly problems: readonly DocumentProblem[]
}

/** Far more than any document needs, far less than the stack holds. */
const deepest = 1_000

/**
 * Copies a value of unknown origin into plain JSON: members that are `undefined` are absent, `-0` is `0`. Refused with their path are
 * `__proto__` keys (WI7), numbers that are not finite (WI5), functions, symbols, bigints, instances of classes, cycles, and what lies
 * deeper than 1,000 levels.
 */
export function copyJson(source: unknown): JsonCopy {
  const problems: DocumentProblem[] = []
  const path: (string | number)[] = []
  const open = new Set<object>()

  const refuse = (expected: string, got: string): undefined => {
    problems.push({ path: [...path], expected, got })
  }
  const copy = (value: unknown): Json | undefined => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : refuse('a finite number', String(value))
    if (typeof value !== 'object') return value === undefined ? undefined : refuse('a JSON value', `a ${typeof value}`)
    if (open.has(value)) return refuse('a JSON value', 'a cycle')
    if (open.size >= deepest) return refuse(`at most ${deepest} levels`, 'more')
    open.add(value)
    const result = Array.isArray(value) ? copyList(value) : copyObject(value)
    open.delete(value)
    return result
  }
  const copyList = (list: readonly unknown[]): Json[] => {
    const result: Json[] = []
    for (let index = 0; index < list.length; index++) {
      path.push(index)
      const item = list[index] === undefined ? refuse('a JSON value', 'nothing') : copy(list[index])
      result.push(item ?? null)
      path.pop()
    }
    return result
  }
  const copyObject = (object: object): Json | undefined => {
    if (!isPlain(object)) return refuse('a JSON value', instanceName(object))
    const result: Record<string, Json> = {}
    for (const [key, member] of Object.entries(object)) {
      path.push(key)
      if (key === '__proto__') refuse('a document without the key `__proto__`', 'one')
      else {
        const copied = copy(member)
        if (copied !== undefined) result[key] = copied
      }
      path.pop()
    }
    return result
  }

  return { value: copy(source), problems }
}

/** Objects of another realm count as plain too: their prototype is the end of a chain. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(Object(prototype), 'isPrototypeOf'))
}

function instanceName(object: object): string {
  const name: unknown = object.constructor?.name
  return typeof name === 'string' && /^[A-Za-z_$][\w$]{0,40}$/.test(name) ? `an instance of ${name}` : 'an instance of a class'
}
