import { isDeepStrictEqual } from 'node:util'
import type { Step } from '../../recording/step.ts'
import { differencesOf } from './differences.ts'
import { entriesOf } from './recording-lines.ts'
import type { JournalLine } from './recording-lines.ts'
import type { Done } from './replayed-world.ts'

/** Where the code decides otherwise than it did when it was recorded. */
export interface Divergence {
  /** The step's number, from 1. */
  readonly step: number
  /** What is otherwise: an entry, what a worker was told, what a caller was answered, a question to the world, a deadline, or a draw. */
  readonly kind: 'entry' | 'told' | 'answered' | 'asked' | 'deadline' | 'drew'
  /** Of an entry: where it belongs. */
  readonly run?: string
  readonly task?: string
  readonly attempt?: number
  /** What the recording has; undefined where the code does more. */
  readonly expected: unknown
  /** What the code does now; undefined where it does less. */
  readonly found: unknown
  /** All of it, for a person. */
  readonly text: string
}

/** What is otherwise, before it has a place. */
export type Otherwise = Omit<Divergence, 'step' | 'text'> & { readonly lines: readonly string[] }

/** The first thing that was done otherwise than the recording has it: entries before all, since the rest follows from them. */
export function otherwise(
  step: Pick<Step, 'asked' | 'appended' | 'told' | 'answered'>,
  done: Done,
  began: number,
): Otherwise | undefined {
  return (
    entryOtherwise(entriesOf(step.appended ?? []), entriesOf(plain(done.appended)), began) ??
    itemOtherwise('told', step.told ?? [], done.told) ??
    itemOtherwise('answered', step.answered ?? [], plain(done.answered)) ??
    itemOtherwise('asked', (step.asked ?? []).toSorted(), done.asked.toSorted()) ??
    itemOtherwise('drew', [], done.tookMore)
  )
}

function entryOtherwise(expected: readonly JournalLine[], found: readonly JournalLine[], began: number): Otherwise | undefined {
  for (let index = 0; index < Math.max(expected.length, found.length); index += 1) {
    const [was, is] = [expected[index], found[index]]
    if (isDeepStrictEqual(was, is)) continue
    const { run = '', entry } = was ?? is ?? {}
    const { task, attempt } = (entry ?? {}) as { readonly task?: string; readonly attempt?: number }
    const lines =
      was !== undefined && is !== undefined && was.run === is.run && was.entry['kind'] === is.entry['kind']
        ? [`${nameOf(was)}:`, ...differencesOf(was.entry, is.entry, began)]
        : [`recorded: ${was === undefined ? 'no entry' : nameOf(was)}`, `now:      ${is === undefined ? 'no entry' : nameOf(is)}`]
    return {
      kind: 'entry',
      run,
      ...(task !== undefined && { task }),
      ...(attempt !== undefined && { attempt }),
      expected: was?.entry,
      found: is?.entry,
      lines,
    }
  }
  return undefined
}

/** `entry 9 of run-1: task.stepped of build#1 to backoff` */
function nameOf({ run, entry }: JournalLine): string {
  const { seq, kind, task, attempt, set } = entry as unknown as {
    readonly seq: number
    readonly kind: string
    readonly task?: string
    readonly attempt?: number
    readonly set?: { readonly status?: string }
  }
  const whose = task === undefined ? '' : ` of ${task}${attempt === undefined ? '' : `#${attempt}`}`
  return `entry ${seq} of ${run}: ${kind}${whose}${set?.status === undefined ? '' : ` to ${set.status}`}`
}

const words: Readonly<Record<Exclude<Divergence['kind'], 'entry' | 'deadline'>, string>> = {
  told: 'what a worker is told',
  answered: 'what a caller is answered',
  asked: 'what is asked of the store, of files, and of workers',
  drew: 'what is drawn',
}

function itemOtherwise(kind: keyof typeof words, expected: readonly unknown[], found: readonly unknown[]): Otherwise | undefined {
  for (let index = 0; index < Math.max(expected.length, found.length); index += 1) {
    const [was, is] = [expected[index], found[index]]
    if (isDeepStrictEqual(was, is)) continue
    return { kind, expected: was, found: is, lines: [`${words[kind]}:`, `recorded: ${shown(was)}`, `now:      ${shown(is)}`] }
  }
  return undefined
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
}

/** As it would be after it was written down. */
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value
}
