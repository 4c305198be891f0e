import type { StoredEntry } from '../../ports/store.ts'
import type { Json, JsonObject } from '../../protocol/json.ts'

/** What an entry has otherwise than one before it in its line, which is counted from 0. Its sequence follows from its place. */
export type EntryChange = readonly [like: number, change: JsonObject]

/** An entry as its line holds it: whole, or as what is otherwise than in one that is. */
export type EntryRecord = StoredEntry | EntryChange

/** Entries of a run are of few shapes; one that is like none of the last whole ones is whole itself. */
const mostCompared = 4

/** The texts of what a line holds, in the making. */
export class EntryTexts {
  readonly texts: string[] = []
  /** Together, in UTF-16 units. */
  length = 0
  readonly #whole: { readonly index: number; readonly entry: StoredEntry }[] = []

  add(entry: StoredEntry): void {
    const text = JSON.stringify(this.#recordOf(entry))
    this.texts.push(text)
    this.length += text.length
  }

  #recordOf(entry: StoredEntry): EntryRecord {
    for (const { index, entry: like } of this.#whole) {
      const change = changeOf(entry, like, 'seq')
      if (change !== undefined) return [index, change]
    }
    this.#whole.unshift({ index: this.texts.length, entry })
    if (this.#whole.length > mostCompared) this.#whole.pop()
    return entry
  }
}

/** The entries `from` to `to` of those that a line holds, the first of which has the sequence `seq`. They share what is the same in them. */
export function entriesOf(
  { seq, entries: records = [] }: { readonly seq: number; readonly entries?: readonly EntryRecord[] },
  from = seq,
  to = seq + records.length - 1,
): StoredEntry[] {
  const found: StoredEntry[] = []
  const end = Math.min(to - seq + 1, records.length)
  for (let index = Math.max(0, from - seq); index < end; index += 1) {
    const record = records[index]
    if (record === undefined) continue
    found.push(isChange(record) ? changedEntry(records[record[0]] as StoredEntry, record[1], seq + index) : record)
  }
  return found
}

/** Whether records are as many as they have to be, and each change is one of an entry before it that is whole. */
export function areRecords(records: readonly EntryRecord[], count: number): boolean {
  if (records.length !== count) return false
  for (let index = 0; index < count; index += 1) {
    const record = records[index]
    if (record === undefined) return false
    if (!isChange(record)) continue
    const like = records[record[0]]
    if (record[0] >= index || like === undefined || isChange(like)) return false
  }
  return true
}

function changedEntry(like: StoredEntry, change: JsonObject, seq: number): StoredEntry {
  const entry = changed(like, change)
  entry['seq'] = seq
  return entry as StoredEntry
}

function changed(like: JsonObject, change: JsonObject): Record<string, Json | undefined> {
  const whole: Record<string, Json | undefined> = { ...like }
  for (const key of Object.keys(change)) {
    const [before, after] = [whole[key], change[key]]
    whole[key] = isObject(before) && isObject(after) ? changed(before, after) : after
  }
  return whole
}

/**
 * The fields of an object that are not those of another one: of objects within it again only what is otherwise, of lists all. Undefined
 * where the two have not the same fields in the same order, since what is left out could not be told then. A field `without` is left out.
 */
function changeOf(object: JsonObject, like: JsonObject, without?: string): JsonObject | undefined {
  const keys = Object.keys(object)
  const others = Object.keys(like)
  if (keys.length !== others.length) return undefined
  const change: Record<string, Json> = {}
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] ?? ''
    // Of an object that is called its prototype by one of its own fields no change could be made.
    if (key !== others[at] || key === '__proto__') return undefined
    const [value, other] = [object[key], like[key]]
    if (value === other || key === without) continue
    // In a text they are absent.
    if (isUnsaid(value) || isUnsaid(other)) return undefined
    if (isObject(value) && isObject(other)) {
      const within = isPlain(value) && isPlain(other) ? changeOf(value, other) : undefined
      if (within === undefined) return undefined
      if (Object.keys(within).length > 0) change[key] = within
    } else if (!isSame(value, other)) change[key] = value
  }
  return change
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

function isChange(record: EntryRecord): record is EntryChange {
  return Array.isArray(record)
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
