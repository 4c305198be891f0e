import type { StoredEntry } from '../../ports/store.ts'
import type { Json, JsonObject } from '../../protocol/json.ts'

/** What an entry has otherwise than one before it in its line, which is counted from 0. Its sequence follows from its place. */
export type EntryChange = readonly [like: number, change: JsonObject]

/** An entry as its line holds it: whole, or as what is otherwise than in one that is. */
export type EntryRecord = StoredEntry | EntryChange

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

function isChange(record: EntryRecord): record is EntryChange {
  return Array.isArray(record)
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
