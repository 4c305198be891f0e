import { FleetError } from '../../protocol/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Bell } from '../bell.ts'
import { folderChanges } from './folder-watch.ts'
import { reasonOf } from './journal-bytes.ts'
import type { JournalReader } from './journal-reader.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { RunLookup } from './run-lookup.ts'

const lookMs = 1000

export interface StoreReadingParts {
  readonly name: string
  readonly journal: string
  readonly clock: Clock
  readonly reader: JournalReader
  readonly runs: RunLookup
  /** Rings whenever entries became durable here, and when this process starts or stops owning the journal. */
  readonly grown: Bell
  /** The writer, while this process owns the journal. */
  readonly writer: () => JournalWriter | undefined
}

/** Brings what is known of the journal up to date before it is told: the owner knows it, everybody else reads on. */
export class StoreReading {
  readonly #parts: StoreReadingParts

  constructor(parts: StoreReadingParts) {
    this.#parts = parts
  }

  /** The owner settles what a failed sync left open, a reader reads on. */
  async look(): Promise<void> {
    const { name, reader, writer } = this.#parts
    const own = writer()
    if (own === undefined) return reader.refresh()
    await own.settle().catch((cause: unknown) => {
      throw new FleetError('outcome_unknown', `What the ${name} holds cannot be told yet: ${reasonOf(cause)} Read again later.`, {
        cause,
      })
    })
  }

  async lookFor(run: string): Promise<void> {
    await this.look()
    await this.#parts.runs.find(run)
  }

  /** The number of the run's last durable entry, as far as it is known by now. */
  lastOf(run: string): number {
    const { heads } = this.#parts.reader
    return heads.removed(run) ? 0 : heads.seq(run)
  }

  async *watch(run: string, from: number, signal: AbortSignal): AsyncGenerator<number> {
    const { journal, clock, reader, runs, grown, writer } = this.#parts
    let last = from
    const hasGrown = () => this.lastOf(run) > last
    while (!signal.aborted) {
      if (writer() !== undefined) {
        await runs.find(run)
        if (hasGrown()) yield (last = this.lastOf(run))
        else await grown.wait(signal)
        continue
      }
      for await (const _ of folderChanges(journal, { clock, everyMs: lookMs, keepAlive: true, signal })) {
        await reader.refresh()
        await runs.find(run)
        if (hasGrown()) yield (last = this.lastOf(run))
        if (writer() !== undefined) break
      }
    }
  }
}
