import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { jsonStore } from '../../fleet/stores.ts'
import { FleetError } from '../../protocol/errors.ts'
import { reservedId } from '../../protocol/ids.ts'
import type { Step } from '../../recording/step.ts'
import { journalOf } from '../journal.ts'
import { createDurableEntries } from './durable-entries.ts'
import { momentOf } from './recorded-moment.ts'
import type { RecordedMoment } from './recorded-moment.ts'
import { entriesOf, readLines } from './recording-lines.ts'
import type { JournalLine, Lines } from './recording-lines.ts'
import { textOfStep } from './step-text.ts'

/** One thing that came in, and what became durable with it. */
export interface RecordedStep {
  /** From 1. */
  readonly number: number
  /** Epoch milliseconds. */
  readonly at: number
  /** What came in, in a few words; of a journal, what was stored. */
  readonly text: string
  /** Entries that were given to the store with it, each with its run; they are durable with a later step, or never. */
  readonly decided: readonly JournalLine[]
  /** Entries that became durable with it. */
  readonly entries: readonly JournalLine[]
  /** Everything that was written down of it; undefined in a journal, which has entries alone. */
  readonly recorded: Step | undefined
}

/** What a fleet did, to step through, to assert on, and to play again. */
export interface Recording {
  readonly steps: readonly RecordedStep[]
  /** Ids of the runs that something became durable of, in the order of their creation. */
  readonly runs: readonly string[]
  /** True when commands were recorded, so that `replay` can play it; false for a journal. */
  readonly hasCommands: boolean
  /** A process died while it wrote its last line, which is left out. */
  readonly isCut: boolean
  /** Everything as it was durable after a step; without a number, after the last. Rejects `invalid_option` for a number that is none. */
  at(step?: number): Promise<RecordedMoment>
}

/**
 * Opens what a fleet recorded with `record: true`: the folder of a JSON store, its folder `recordings`, a file in it, or the bytes of
 * `fleet.recording()`. What has no commands, such as the folder of a store that recorded nothing or the bytes of `journal()`, opens for
 * stepping and asserting. Nothing is written. Rejects `store_too_new` for a recording of a newer version, `store_damaged` naming the
 * line, `unreadable_file`.
 */
export async function openRecording(source: string | Uint8Array): Promise<Recording> {
  const lines = typeof source === 'string' ? await linesAt(source) : readLines(source, 'The recording')
  const steps = lines.kind === 'recording' ? stepsOf(lines.steps) : stepsOfJournal(lines.lines)
  const runs = new Set(steps.flatMap(({ entries }) => entries.map(({ run }) => run)))
  runs.delete(reservedId)
  return {
    steps,
    runs: [...runs],
    hasCommands: lines.kind === 'recording',
    isCut: lines.isCut,
    async at(number = steps.length) {
      const last = steps[number - 1]
      if (number !== 0 && last === undefined)
        throw new FleetError('invalid_option', `There is no step ${number}; the recording has ${steps.length}.`)
      const entries = steps.slice(0, number).flatMap((step) => step.entries)
      return momentOf(number, last?.at ?? steps[0]?.at ?? 0, entries)
    },
  }
}

async function linesAt(path: string): Promise<Lines> {
  try {
    if ((await stat(path)).isFile()) return readLines(await readFile(path), path)
    const names = await readdir(path)
    const files = names.filter((name) => name.endsWith('.ndjson')).sort()
    if (files.length > 0) return joined(await Promise.all(files.map(async (name) => readFileLines(join(path, name)))))
    if (names.includes('recordings')) return await linesAt(join(path, 'recordings'))
    return readLines(await journalOf(jsonStore({ folder: path })), path)
  } catch (error) {
    if (FleetError.is(error)) throw error
    throw new FleetError(
      'unreadable_file',
      `${path} cannot be read: ${String(error)}. Name a recording, or the folder of a store.`,
    )
  }
}

async function readFileLines(path: string): Promise<Lines> {
  return readLines(await readFile(path), path)
}

/** Each opening of a store has a file of its own, with one life in it. */
function joined(files: readonly Lines[]): Lines {
  const steps = files.flatMap((file, index) =>
    file.kind === 'recording' ? file.steps.map((step): Step => ({ ...step, life: step.life + index })) : [],
  )
  return { kind: 'recording', steps, isCut: files.some(({ isCut }) => isCut) }
}

function stepsOf(steps: readonly Step[]): RecordedStep[] {
  const durable = createDurableEntries()
  return steps.map((recorded, index) => ({
    number: index + 1,
    at: recorded.at,
    text: textOfStep(recorded),
    decided: entriesOf(recorded.appended ?? []),
    entries: durable(recorded),
    recorded,
  }))
}

/** The entries of all runs in the order of their moments. */
function stepsOfJournal(lines: readonly JournalLine[]): RecordedStep[] {
  const moment = ({ entry }: JournalLine): number => Number(entry['at'])
  return lines
    .toSorted((a, b) => moment(a) - moment(b))
    .map((line, index) => ({
      number: index + 1,
      at: moment(line),
      text: `${line.run} ${JSON.stringify(line.entry['kind'])}`,
      decided: [line],
      entries: [line],
      recorded: undefined,
    }))
}
