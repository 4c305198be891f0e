import { dirname, join } from 'node:path'
import { FleetError } from '../../../protocol/errors.ts'
import { reservedId } from '../../../protocol/ids.ts'
import type { Ids } from '../../../ports/ids.ts'
import { locate } from '../damage.ts'
import { openJournal } from '../journal-opening.ts'
import { JournalReader } from '../journal-reader.ts'
import { LineBuffer } from '../line-buffer.ts'
import type { RunHead } from '../run-heads.ts'
import { missingSegments, resolveChain, segmentPath } from '../segment-chain.ts'
import { encodeClosed, encodeCut, entryBody, entryTop } from '../segment-line.ts'
import { SegmentRetention } from '../segment-retention.ts'
import { Snapshots } from '../snapshot.ts'
import { createJsonStore } from '../store.ts'
import { examine, noIndex } from './examined-store.ts'
import { checkInbox } from './inbox-check.ts'
import type { InspectionParts, StoreInspection } from './inspect-store.ts'
import { inspectFolder } from './inspect-store.ts'
import { temporaryFiles } from './leavings-check.ts'
import type { LostHistory } from './lost-history.ts'
import { keepAside } from './lost-history.ts'
import { checkSnapshots } from './snapshot-check.ts'

/** What was mended, and what was lost with it. */
export interface StoreRepair {
  /** What was done, as sentences for a person. */
  readonly done: readonly string[]
  readonly lost: readonly LostHistory[]
  /** Segments that are missing; what stood in them is given up. */
  readonly missing: readonly string[]
  /** What is there now. */
  readonly inspection: StoreInspection
}

export interface RepairParts extends InspectionParts {
  readonly ids: Ids
}

const instance = 'doctor'

/**
 * Becomes the store's owner and mends what can be mended. A run whose history breaks is cut off after its last good entry by a record in
 * the journal; what followed is kept aside. Rejects `store_owned` with the owner named.
 */
export async function repairFolder(parts: RepairParts, options: { readonly takeOver?: boolean } = {}): Promise<StoreRepair> {
  // A folder without a store is not made one.
  await inspectFolder(parts)
  const { disk, layout } = parts
  const { links } = await resolveChain(disk, layout.journal)
  const missing = missingSegments(disk, layout.journal, links).map((segment) => segmentPath(layout.journal, segment))
  const { done, lost } = await mendJournal(parts, options)
  done.push(...(await mendBeside(parts)))
  done.push(...(await makeIndex(parts)))
  return { done, lost, missing, inspection: await inspectFolder(parts) }
}

/** Cuts the torn tail, and the runs whose history breaks. */
async function mendJournal(
  parts: RepairParts,
  options: { readonly takeOver?: boolean },
): Promise<{ readonly done: string[]; readonly lost: readonly LostHistory[] }> {
  const { disk, layout, clock, host, ids, unique } = parts
  const common = { disk, journal: layout.journal, reader: new JournalReader(disk, layout.journal, host, noIndex), unique }
  const snapshots = new Snapshots({ ...common, layout })
  const retention = new SegmentRetention({
    ...common,
    streamSnapshot: () => snapshots.load(reservedId),
    givesUpMissing: true,
  })
  const opening = {
    ...common,
    folder: layout.root,
    clock,
    host,
    retention,
    newStoreId: () => ids.next('store'),
    former: new Set<string>(),
    roomBytes: 0,
    indexed: () => undefined,
  }
  const { opened, warnings } = await openJournal(opening, { ...options, instance })
  const { reader } = common
  const lost: LostHistory[] = []
  try {
    const texts: string[] = []
    for (const head of reader.heads.all()) {
      if (head.damage === undefined) continue
      const kept = await keepAside(parts, head, head.damage, reader.ends)
      lost.push({ run: head.run, after: head.seq, ...(await locate(disk, layout.journal, head.damage)), ...kept })
      texts.push(recordOf(head, clock.now()))
    }
    const records = texts.join('')
    const closed = encodeClosed(clock.now(), opened.end + Buffer.byteLength(records))
    opened.file.append(Buffer.from(records + closed))
    await opened.file.sync()
  } finally {
    await opened.file.close()
  }
  return { done: warnings.filter((text) => text.startsWith('A torn tail')), lost }
}

/** The record that lets a run go on behind its last good entry; a run without any is removed, but never the reserved stream. */
function recordOf({ run, seq, hash }: RunHead, removed: number): string {
  if (seq > 0 || run === reservedId) return encodeCut({ run, seq, hash })
  const line = new LineBuffer()
  line.add(entryTop({ run, seq: 1, last: 1, prev: '', batch: [1, 1] }), entryBody({ removed }))
  return line.bytes.toString()
}

/** Drops snapshots that cannot be used, and what processes that ended left. */
async function mendBeside(parts: RepairParts): Promise<readonly string[]> {
  const { disk, clock } = parts
  const store = await examine(parts)
  const done: string[] = []
  for (const { file, run } of await checkSnapshots(store, new Snapshots({ ...parts, reader: store.reader }))) {
    if (file === undefined) continue
    await disk.remove(file)
    await disk.removeFolder(join(dirname(file), 'snapshot'))
    done.push(`The snapshot of ${run} was dropped; its entries say it all.`)
  }
  for (const file of await temporaryFiles(parts)) {
    await disk.remove(file)
    done.push(`The temporary file ${file} was removed.`)
  }
  for (const { file, weight } of await checkInbox(store, clock)) {
    if (file === undefined || weight !== 'wrong') continue
    await disk.rename(file, `${file}.refused`)
    done.push(`The command in ${file}, which cannot be read, was put aside.`)
  }
  return done
}

/** Makes the index again from the journal, and removes the folders of removed runs, as every opening does. */
async function makeIndex(parts: RepairParts): Promise<readonly string[]> {
  const { disk, layout, clock, host, ids } = parts
  await disk.remove(layout.index)
  await disk.removeFolder(layout.shards)
  const store = createJsonStore({ folder: layout.root, disk, clock, host, ids })
  try {
    await store.open({ instance })
    return ['The index was made again from the journal.']
  } catch (cause) {
    if (FleetError.is(cause, 'store_owned')) return ['Another process took the store meanwhile; it makes the index again.']
    throw cause
  } finally {
    await store.close()
  }
}
