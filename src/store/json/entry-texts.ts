import type { StoredEntry } from '../../ports/store.ts'
import type { Json, JsonObject } from '../../protocol/json.ts'

/** Entries of a run are of few shapes; one that is like none of the last whole ones is whole itself. */
const mostCompared = 4

/** The texts of what a line holds, in the making: of each entry an `EntryRecord`. */
export class EntryTexts {
  readonly texts: string[] = []
  /** Together, in UTF-16 units. */
  length = 0
  readonly #whole: { readonly index: number; readonly fields: Fields }[] = []

  add(entry: StoredEntry): void {
    const text = this.#textOf(entry)
    this.texts.push(text)
    this.length += text.length
  }

  #textOf(entry: StoredEntry): string {
    for (const { index, fields } of this.#whole) {
      const change = fields.changeTo(entry, 'seq')
      if (change !== undefined) return `[${index},{${change}}]`
    }
    this.#whole.unshift({ index: this.texts.length, fields: new Fields(entry) })
    if (this.#whole.length > mostCompared) this.#whole.pop()
    return JSON.stringify(entry)
  }
}

/** The fields of an object that others are compared with, taken apart once. */
class Fields {
  readonly #object: JsonObject
  #keys: readonly string[] | undefined
  #values: readonly (Json | undefined)[] = []
  /** Each key as it stands in a text; made when it is needed first. */
  readonly #heads: string[] = []
  /** Of values that are objects themselves; made when they are needed first. */
  readonly #within: (Fields | undefined)[] = []

  constructor(object: JsonObject) {
    this.#object = object
  }

  /**
   * The text, without its braces, of the fields of an object that are not these: of objects within it again only what is otherwise, of
   * lists all. Undefined where the two have not the same fields in the same order, since what is left out could not be told then. A
   * field `without` is left out.
   */
  changeTo(object: JsonObject, without?: string): string | undefined {
    const keys = Object.keys(object)
    const own = (this.#keys ??= this.#takeApart())
    if (keys.length !== own.length) return undefined
    let change = ''
    for (let at = 0; at < keys.length; at += 1) {
      const key = keys[at] ?? ''
      if (key !== own[at]) return undefined
      const [value, other] = [object[key], this.#values[at]]
      if (value === other || key === without) continue
      const text = isObject(value) && isObject(other) ? this.#changeWithin(at, value, other) : changedText(value, other)
      if (text === undefined) return undefined
      if (text === '') continue
      const head = (this.#heads[at] ??= `${JSON.stringify(key)}:`)
      change += change === '' ? head + text : `,${head}${text}`
    }
    return change
  }

  #takeApart(): readonly string[] {
    const keys = Object.keys(this.#object)
    this.#values = keys.map((key) => this.#object[key])
    return keys
  }

  #changeWithin(at: number, value: JsonObject, other: JsonObject): string | undefined {
    if (!isPlain(value) || !isPlain(other)) return undefined
    const change = (this.#within[at] ??= new Fields(other)).changeTo(value)
    return change === undefined || change === '' ? change : `{${change}}`
  }
}

/** The text of a value where another one was: empty when that makes the same text, undefined where it cannot be told. */
function changedText(value: Json | undefined, other: Json | undefined): string | undefined {
  // In a text they are absent.
  if (isUnsaid(value) || isUnsaid(other)) return undefined
  if (isSame(value, other)) return ''
  // The same, by a way that is several times as fast.
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  return JSON.stringify(value)
}

/** Whether two values make the same text. Of two that do it may be denied. */
function isSame(value: Json | undefined, other: Json | undefined): boolean {
  if (value === other) return true
  if (isList(value)) {
    if (!isList(other) || value.length !== other.length) return false
    for (let at = 0; at < value.length; at += 1) if (!isSame(value[at], other[at])) return false
    return true
  }
  if (!isObject(value) || !isObject(other) || !isPlain(value) || !isPlain(other)) return false
  const keys = Object.keys(value)
  const others = Object.keys(other)
  return keys.length === others.length && keys.every((key, at) => key === others[at] && isSame(value[key], other[key]))
}

/** An entry is plain JSON; whoever has a store take something else gets what its text would give. */
function isUnsaid(value: unknown): value is undefined {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol'
}

function isPlain(object: object): boolean {
  return Object.getPrototypeOf(object) === Object.prototype
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
