import type { Snapshot } from '../../../../src/ports/store.ts'
import { noIndex } from '../../../../src/store/json/doctor/examined-store.ts'
import type { Disk } from '../../../../src/store/json/disk.ts'
import type { OpenedJournal, OpeningOptions, OpeningParts } from '../../../../src/store/json/journal-opening.ts'
import { openJournal } from '../../../../src/store/json/journal-opening.ts'
import type { HeadsIndex } from '../../../../src/store/json/journal-reader.ts'
import { JournalReader } from '../../../../src/store/json/journal-reader.ts'
import type { WriterParts } from '../../../../src/store/json/journal-writer.ts'
import { JournalWriter } from '../../../../src/store/json/journal-writer.ts'
import { SegmentRetention } from '../../../../src/store/json/segment-retention.ts'
import { createVirtualClock } from '../../../../src/testing/virtual-clock.ts'
import { journal } from './handwritten-journal.ts'
import { afterCrash } from './store-folder.ts'

/** What a test may have otherwise. */
export interface PartChanges extends Partial<OpeningParts> {
  readonly index?: HeadsIndex
  readonly streamSnapshot?: () => Promise<Snapshot | undefined>
  readonly givesUpMissing?: boolean
}

/** What reads and writes a journal, put together as the store does it, of one process after a crash of all others. */
export function journalParts(disk: Disk, changes: PartChanges = {}) {
  let names = 0
  const unique = () => `u-${(names += 1)}`
  const host = changes.host ?? afterCrash()
  const clock = changes.clock ?? createVirtualClock()
  const reader = new JournalReader(disk, journal, host, changes.index ?? noIndex)
  const common = { disk, journal, reader, unique, clock, roomBytes: changes.roomBytes ?? 0 }
  const { streamSnapshot = async () => undefined, givesUpMissing = false } = changes
  const retention = new SegmentRetention({ ...common, streamSnapshot, givesUpMissing })
  const opening: OpeningParts = {
    ...common,
    folder: '/',
    host,
    retention,
    newStoreId: () => 'store-new',
    former: new Set(),
    indexed: () => undefined,
    ...changes,
  }
  const open = (options: OpeningOptions = { instance: 'owner' }): Promise<OpenedJournal> => openJournal(opening, options)
  const writerOf = ({ header, opened }: OpenedJournal, parts: Partial<WriterParts> = {}): JournalWriter =>
    new JournalWriter({
      ...common,
      header,
      opened,
      segmentBytes: 1_000_000,
      lineChars: 1,
      onDurable: () => undefined,
      onFenced: () => undefined,
      ...parts,
    })
  return { reader, retention, opening, open, writerOf, clock }
}
