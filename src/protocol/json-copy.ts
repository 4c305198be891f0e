import type { Json } from './json.ts'
import type { DocumentProblem } from './problem.ts'
import { allAtOnce, type Steps } from './steps.ts'

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
  return allAtOnce(copyingJson(source))
}

/** As `copyJson`, in steps: an item of the outermost list, or of a list in the outermost object, is one. */
export function* copyingJson(source: unknown): Steps<JsonCopy> {
  const copier = new Copier()
  return { value: yield* copier.outermost(source), problems: copier.problems }
}

class Copier {
  readonly problems: DocumentProblem[] = []
  readonly #path: (string | number)[] = []
  /** Objects and lists that are being copied, for cycles. */
  readonly #open = new Set<object>()

  #copy(value: unknown): Json | undefined {
    if (!isNested(value)) return this.#scalar(value)
    if (!this.#enter(value)) return undefined
    const result = Array.isArray(value) ? this.#list(value) : this.#object(value)
    this.#open.delete(value)
    return result
  }

  /** As `#copy`, with rests. */
  *outermost(value: unknown): Steps<Json | undefined> {
    if (!isNested(value)) return this.#scalar(value)
    if (!this.#enter(value)) return undefined
    const result = Array.isArray(value) ? yield* this.#outerList(value) : yield* this.#outermostObject(value)
    this.#open.delete(value)
    return result
  }

  *#outermostObject(object: object): Steps<Json | undefined> {
    if (!isPlain(object)) return this.#refuse('a JSON value', instanceName(object))
    const result: Record<string, Json> = {}
    // All at once: between two members there may be a rest.
    for (const [key, member] of Object.entries(object)) {
      this.#path.push(key)
      if (this.#isKey(key)) keep(result, key, Array.isArray(member) ? yield* this.outermost(member) : this.#copy(member))
      this.#path.pop()
    }
    return result
  }

  *#outerList(list: readonly unknown[]): Steps<Json[]> {
    const result: Json[] = []
    for (let index = 0; index < list.length; index++) {
      if (index > 0) yield
      result.push(this.#item(list, index))
    }
    return result
  }

  #scalar(value: unknown): Json | undefined {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : this.#refuse('a finite number', String(value))
    return value === undefined ? undefined : this.#refuse('a JSON value', `a ${typeof value}`)
  }

  #object(object: object): Json | undefined {
    if (!isPlain(object)) return this.#refuse('a JSON value', instanceName(object))
    const result: Record<string, Json> = {}
    for (const key of Object.keys(object)) {
      this.#path.push(key)
      if (this.#isKey(key)) keep(result, key, this.#copy(Reflect.get(object, key)))
      this.#path.pop()
    }
    return result
  }

  #list(list: readonly unknown[]): Json[] {
    const result: Json[] = []
    for (let index = 0; index < list.length; index++) result.push(this.#item(list, index))
    return result
  }

  #item(list: readonly unknown[], index: number): Json {
    this.#path.push(index)
    const item = list[index] === undefined ? this.#refuse('a JSON value', 'nothing') : this.#copy(list[index])
    this.#path.pop()
    return item ?? null
  }

  #enter(value: object): boolean {
    if (this.#open.has(value)) this.#refuse('a JSON value', 'a cycle')
    else if (this.#open.size >= deepest) this.#refuse(`at most ${deepest} levels`, 'more')
    else {
      this.#open.add(value)
      return true
    }
    return false
  }

  #isKey(key: string): boolean {
    if (key === '__proto__') this.#refuse('a document without the key `__proto__`', 'one')
    return key !== '__proto__'
  }

  #refuse(expected: string, got: string): undefined {
    this.problems.push({ path: [...this.#path], expected, got })
  }
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function keep(result: Record<string, Json>, key: string, value: Json | undefined): void {
  if (value !== undefined) result[key] = value
}

/** Objects of another realm count as plain too: their prototype is the end of a chain. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return (
    prototype === Object.prototype ||
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(Object(prototype), 'isPrototypeOf'))
  )
}

function instanceName(object: object): string {
  const name: unknown = object.constructor?.name
  return typeof name === 'string' && /^[A-Za-z_$][\w$]{0,40}$/.test(name) ? `an instance of ${name}` : 'an instance of a class'
}
