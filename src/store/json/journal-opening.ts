import { join } from 'node:path'
import { FleetError } from '../../protocol/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { StoreOwner } from '../../ports/store.ts'
import { locate } from './damage.ts'
import type { Disk } from './disk.ts'
import type { JournalReader, Measurement } from './journal-reader.ts'
import { readJournal } from './journal-bytes.ts'
import { ownedError, readOwner } from './owner.ts'
import type { HostFacts } from './process-identity.ts'
import type { Place } from './marks.ts'
import type { SegmentChain } from './segment-chain.ts'
import { epochOf, listSegments, resolveChain, segmentName, segmentPath } from './segment-chain.ts'
import type { SegmentEnd, SegmentHeader } from './segment-line.ts'
import { encodeHeader, encodePrevious, storeFormat } from './segment-line.ts'
import { SegmentFile } from './segment-file.ts'
import { lossBehind } from './segment-loss.ts'
import type { SegmentRetention } from './segment-retention.ts'
import type { OpenSegment } from './segment-writer.ts'
import { placeOf } from './segment-writer.ts'
import { createFile } from './whole-file.ts'

export interface OpeningParts {
  readonly disk: Disk
  readonly folder: string
  readonly journal: string
  readonly clock: Clock
  readonly host: HostFacts
  readonly reader: JournalReader
  readonly unique: () => string
  readonly newStoreId: () => string
  readonly retention: SegmentRetention
  readonly roomBytes: number
  /** Owner records that this store wrote before. It is not open, so none of them owns anything, though the disk may not tell. */
  readonly former: Set<string>
  /** How much of the journal the index stood for when it was read. */
  readonly indexed: () => Place | undefined
}

export interface OpeningOptions {
  readonly instance: string
  readonly waitMs?: number
  readonly takeOver?: boolean
  readonly signal?: AbortSignal
}

export interface OpenedJournal {
  readonly header: SegmentHeader
  readonly opened: OpenSegment
  readonly warnings: readonly string[]
}

/** How often whoever waits for an owner to go looks again. */
const lookMs = 100

/** Becomes the owner of the journal: names a new epoch, then records where everything older ends (ST6). */
export async function openJournal(parts: OpeningParts, options: OpeningOptions): Promise<OpenedJournal> {
  const { disk, journal, clock } = parts
  const until = clock.monotonic() + (options.waitMs ?? 0)
  for (;;) {
    const chain = await resolveChain(disk, journal)
    const owner = await readOwner(disk, journal, chain, parts.host)
    if (owner === undefined || mayReplace(owner, options) || parts.former.has(recordOf(owner))) {
      const opened = await become(parts, newHeader(parts, options.instance, chain))
      if (opened !== undefined) return opened
      continue
    }
    options.signal?.throwIfAborted()
    const left = until - clock.monotonic()
    if (left <= 0) throw ownedError(parts.folder, owner)
    await clock.sleep(Math.min(lookMs, left), options.signal && { signal: options.signal })
    options.signal?.throwIfAborted()
  }
}

function mayReplace(owner: StoreOwner, { takeOver = false }: OpeningOptions): boolean {
  return owner.alive === false || (owner.alive === undefined && takeOver)
}

function newHeader({ clock, host, newStoreId }: OpeningParts, instance: string, { newest, store }: SegmentChain): SegmentHeader {
  const owner = { ...host.self(), instance, since: clock.now() }
  return { format: storeFormat, store: store ?? newStoreId(), epoch: (newest?.epoch ?? 0) + 1, segment: 1, owner }
}

/** Undefined when somebody else took this epoch first. */
async function become(parts: OpeningParts, header: SegmentHeader): Promise<OpenedJournal | undefined> {
  const { disk, journal, former, unique } = parts
  await disk.makeFolder(journal)
  former.add(recordOf({ ...header.owner, epoch: header.epoch }))
  try {
    const path = segmentPath(journal, segmentName(header.epoch, 1))
    const isTaken = await createFile(disk, path, Buffer.from(encodeHeader(header)), unique())
    return isTaken ? await recordEnds(parts, header) : undefined
  } catch (error) {
    await giveBack(parts, header).catch(() => undefined)
    throw error
  }
}

/** Removes a claim that could not be made good, so that nobody waits for this process to end. It holds nothing yet. */
async function giveBack({ disk, journal }: OpeningParts, header: SegmentHeader): Promise<void> {
  const path = segmentPath(journal, segmentName(header.epoch, 1))
  const claim = Buffer.from(encodeHeader(header))
  const isOwn = claim.equals(await disk.read(path, 0, claim.length))
  if (isOwn && !disk.exists(segmentPath(journal, segmentName(header.epoch + 1, 1)))) await disk.remove(path)
}

function recordOf({ epoch, host, pid, since, instance }: Omit<StoreOwner, 'alive'>): string {
  return JSON.stringify([epoch, host, pid, since, instance])
}

async function recordEnds(parts: OpeningParts, header: SegmentHeader): Promise<OpenedJournal> {
  const { disk, journal, reader, retention } = parts
  const segment = segmentName(header.epoch, 1)
  const measured = await reader.measure()
  const lost = lossBehind(journal, measured.ends, parts.indexed())
  const warnings = [...measured.warnings, ...lost, ...(await damageWarnings(parts))]
  const lastEnd = measured.ends.at(-1)
  if (lastEnd !== undefined) await secureEnd(parts, lastEnd, measured.synced)
  if (measured.tail !== undefined) warnings.push(await cutTail(parts, measured.tail))
  else if (lastEnd !== undefined) await cutRoom(disk, segmentPath(journal, lastEnd.segment), lastEnd.end)
  const top = Buffer.byteLength(encodeHeader(header))
  const file = new SegmentFile(await disk.open(segmentPath(journal, segment), { create: false }), top, parts.roomBytes)
  try {
    await retention.sweep(measured.dropped?.segments ?? [], header.epoch)
    const dropped = await retention.plan(measured.ends, 0)
    const gone = new Set(dropped?.segments)
    const previous = measured.ends.filter((end) => !gone.has(end.segment))
    const line = Buffer.from(encodePrevious(previous, dropped && { dropped }))
    file.append(line)
    await file.sync()
    if ((await listSegments(disk, journal)).some((name) => epochOf(name) > header.epoch))
      throw new FleetError(
        'store_conflict',
        `Another process took the store in ${parts.folder} over at the same time. Open it again.`,
      )
    const opened = { file, segment, end: top + line.length }
    await removeTemporary(disk, journal, header.epoch)
    await reader.own(previous, placeOf(opened), dropped)
    await retention.sweep([...gone], header.epoch)
    return { header, opened, warnings }
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}

/**
 * What was measured must not be lost with the power after its end was recorded. The one before may have died of a failed sync: then
 * another one stores nothing, so what nothing shows to be stored is written again.
 */
async function secureEnd(
  { disk, journal }: OpeningParts,
  { segment, end }: SegmentEnd,
  synced: Place | undefined,
): Promise<void> {
  const path = segmentPath(journal, segment)
  const from = synced?.segment === segment ? synced.byte : 0
  if (from < end) await disk.rewrite(path, from, await readJournal(disk, path, from, end))
}

/** Keeps a torn tail aside, next to its segment, and cuts it off (ST4). */
async function cutTail({ disk, journal, unique }: OpeningParts, tail: NonNullable<Measurement['tail']>): Promise<string> {
  const path = segmentPath(journal, tail.segment)
  const aside = `${path}.torn-${tail.byte}`
  if (!disk.exists(aside)) await createFile(disk, aside, tail.bytes, unique())
  const file = await disk.open(path, { create: false })
  try {
    // Not synced: the end that is about to be recorded counts.
    await file.truncate(tail.byte)
  } finally {
    await file.close()
  }
  return `A torn tail of ${tail.bytes.length} bytes was cut from ${path} at byte ${tail.byte} and kept in ${aside}: nothing shows that it was ever acknowledged.`
}

/** Takes back the room that a crashed owner had set aside. */
async function cutRoom(disk: Disk, path: string, end: number): Promise<void> {
  if (((await disk.facts(path))?.size ?? 0) <= end) return
  const file = await disk.open(path, { create: false })
  try {
    await file.truncate(end)
  } finally {
    await file.close()
  }
}

async function damageWarnings({ disk, journal, reader }: OpeningParts): Promise<readonly string[]> {
  const warnings: string[] = []
  for (const { place, run } of reader.heads.damages) {
    const { file, line, byte } = await locate(disk, journal, place)
    const whose = run === undefined ? 'whose entry it was cannot be told' : `run ${run} stops there, the others go on`
    warnings.push(`${file} is damaged at line ${line}, byte ${byte}: ${whose}.`)
  }
  return warnings
}

/** Leavings of processes that ended while they created a segment. */
async function removeTemporary(disk: Disk, journal: string, epoch: number): Promise<void> {
  const own = segmentName(epoch, 9999)
  for (const name of await disk.list(journal)) if (name.endsWith('.tmp') && name < own) await disk.remove(join(journal, name))
}
