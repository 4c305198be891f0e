import { recordingVersion } from '../../recording/step.ts'
import type { Opening, Step } from '../../recording/step.ts'
import type { StoredEntry } from '../../ports/store.ts'
import { FleetError } from '../../protocol/errors.ts'

/** A line of `fleet.journal()`. */
export interface JournalLine {
  readonly run: string
  readonly entry: StoredEntry
}

/** The entries of appends, in their order. */
export function entriesOf(appended: NonNullable<Step['appended']>): JournalLine[] {
  return appended.flatMap((batches) => batches.flatMap(({ run, entries }) => entries.map((entry) => ({ run, entry }))))
}

/** What a file holds: steps, or durable entries alone. */
export type Lines =
  | { readonly kind: 'recording'; readonly steps: readonly Step[]; readonly isCut: boolean }
  | { readonly kind: 'journal'; readonly lines: readonly JournalLine[]; readonly isCut: boolean }

/** Reads the lines of a recording or of a journal. A last line without its end was cut off, and is left out (a process that died). */
export function readLines(bytes: Uint8Array, name: string): Lines {
  const text = new TextDecoder().decode(bytes)
  const rows = text.split('\n')
  const isCut = rows.pop() !== ''
  const values = rows.map((row, index) => parsed(row, `${name}, line ${index + 1}`))
  if (values.length > 0 && values.every(isJournalLine)) return { kind: 'journal', lines: values, isCut }
  const steps: Step[] = []
  for (const [index, value] of values.entries()) {
    if (isOpening(value)) checkVersion(value, name)
    else if (index > 0 && isStep(value)) steps.push(value)
    else throw damaged(`${name}, line ${index + 1}`, 'it is neither a step of a recording nor an entry of a journal')
  }
  return { kind: 'recording', steps, isCut }
}

function parsed(row: string, where: string): unknown {
  try {
    return JSON.parse(row)
  } catch (error) {
    throw damaged(where, String(error))
  }
}

function damaged(where: string, why: string): FleetError {
  return new FleetError('store_damaged', `${where} cannot be read: ${why}. Record again, or restore the file from a copy.`)
}

function checkVersion({ flotilla_recording: version }: Opening, name: string): void {
  if (version <= recordingVersion) return
  throw new FleetError(
    'store_too_new',
    `${name} is a recording of version ${version}; this version of flotilla reads up to ${recordingVersion}. Upgrade flotilla.`,
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isOpening(value: unknown): value is Opening {
  return isObject(value) && typeof value['flotilla_recording'] === 'number'
}

function isStep(value: unknown): value is Step {
  return isObject(value) && typeof value['life'] === 'number' && isObject(value['input'])
}

function isJournalLine(value: unknown): value is JournalLine {
  return isObject(value) && typeof value['run'] === 'string' && isObject(value['entry'])
}
