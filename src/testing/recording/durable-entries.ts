import type { Batch, StoredEntry } from '../../ports/store.ts'
import type { Step } from '../../recording/step.ts'
import type { JournalLine } from './recording-lines.ts'

/** Tells which entries became durable with each step, as far as the fleet could know. */
export function createDurableEntries(): (step: Step) => readonly JournalLine[] {
  const asked = new Map<string, (readonly Batch[])[]>()
  const last = new Map<string, number>()

  /** Only what follows without a gap: what was read of the middle of a run is no news of its own. */
  function news(run: string, entries: readonly StoredEntry[]): JournalLine[] {
    return entries.flatMap((entry) => {
      if (entry.seq !== (last.get(run) ?? 0) + 1) return []
      last.set(run, entry.seq)
      return [{ run, entry }]
    })
  }

  function answered(step: Step): readonly JournalLine[] {
    const { input } = step
    if (input.kind !== 'answer') return []
    const stored = asked.get(`${step.life} ${input.to}`)?.shift()
    if (input.failed !== undefined) return []
    if (stored !== undefined) return stored.flatMap(({ run, entries }) => news(run, entries))
    const [, run] = /^store\.read (\S+) /.exec(input.to) ?? []
    return run === undefined || !Array.isArray(input.ok) ? [] : news(run, input.ok as readonly StoredEntry[])
  }

  return (step) => {
    const found = answered(step)
    const appends = (step.asked ?? []).filter((what) => what.startsWith('store.append '))
    for (const [index, what] of appends.entries()) {
      const key = `${step.life} ${what}`
      asked.set(key, [...(asked.get(key) ?? []), step.appended?.[index] ?? []])
    }
    return found
  }
}
