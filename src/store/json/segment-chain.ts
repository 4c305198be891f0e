import { join } from 'node:path'
import { FleetError } from '../../protocol/errors.ts'
import type { Disk } from './disk.ts'
import { readJournal } from './journal-bytes.ts'
import type { DropRecord, SegmentEnd, SegmentHeader } from './segment-line.ts'
import { claimedFormat, decodeLine, storeFormat } from './segment-line.ts'

/** A segment that is part of the history. The last one may still grow: it has no end. */
export interface ChainLink {
  readonly segment: string
  readonly end?: number
}

/** The segments that make up the history, oldest first. */
export interface SegmentChain {
  readonly links: readonly ChainLink[]
  /** The segment of the highest epoch, even when its owner has not come to record where the others end. */
  readonly newest?: { readonly segment: string; readonly epoch: number; readonly header?: SegmentHeader }
  /** True while the newest epoch's owner has not recorded where older segments end. */
  readonly pending: boolean
  /** The newest record of segments that were deleted. */
  readonly dropped?: DropRecord
  /** The store's own id, from the newest header that can be read. */
  readonly store?: string
  readonly warnings: readonly string[]
}

/** What the first two lines of a segment say. */
export interface SegmentTop {
  readonly header?: SegmentHeader
  readonly previous?: readonly SegmentEnd[]
  readonly dropped?: DropRecord
  /** True when a second line is there that cannot be read, and others follow it. */
  readonly damaged: boolean
}

type TopOf = (segment: string) => Promise<SegmentTop>

const segmentPattern = /^(\d{8})\.(\d{4})\.jsonl$/

/** The name of a segment, without folder and extension: it sorts by epoch, then by number. */
export function segmentName(epoch: number, segment: number): string {
  return `${String(epoch).padStart(8, '0')}.${String(segment).padStart(4, '0')}`
}

export function segmentPath(journal: string, segment: string): string {
  return join(journal, `${segment}.jsonl`)
}

/** Names of the segments in a folder, in order. */
export async function listSegments(disk: Disk, journal: string): Promise<readonly string[]> {
  const names = (await disk.list(journal)).filter((name) => segmentPattern.test(name))
  return names.map((name) => name.slice(0, -'.jsonl'.length))
}

/** The links whose files are not there. Segments that were recorded as dropped are no links. */
export function missingSegments(disk: Disk, journal: string, links: readonly ChainLink[]): readonly string[] {
  return links.map(({ segment }) => segment).filter((segment) => !disk.exists(segmentPath(journal, segment)))
}

/**
 * Finds out which segments count, up to where each. Rejects `store_too_new`, before anything was changed (ST8). What cannot change
 * any more is kept in `tops`, to be passed in again.
 */
export async function resolveChain(
  disk: Disk,
  journal: string,
  tops: Map<string, SegmentTop> = new Map(),
): Promise<SegmentChain> {
  const names = await listSegments(disk, journal)
  const newestName = names.at(-1)
  if (newestName === undefined) return { links: [], pending: false, warnings: [] }
  const topOf: TopOf = async (segment) => {
    const known = tops.get(segment) ?? (await readTop(disk, journal, segment))
    if (known.previous !== undefined) tops.set(segment, known)
    return known
  }
  const copies = new Set<string>()
  const last = await newestBefore(undefined, names, topOf, copies)
  const { header } = last === undefined ? {} : await topOf(last)
  // A copy holds nothing, but the name that it bears is taken.
  const newest = { segment: last ?? newestName, epoch: epochOf(newestName), ...(header && { header }) }
  const walked = await walkBack(last, topOf, (segment) => newestBefore(segment, names, topOf, copies))
  const store = await storeOf(names, topOf)
  const told = [...copies].map(
    (name) => `${segmentPath(journal, name)} is a copy of another segment, and not read. Move it away.`,
  )
  return { ...walked, warnings: [...told, ...walked.warnings], newest, ...(store !== undefined && { store }) }
}

/** The newest segment, or the newest before another one, without files that say of themselves that they are a different one. */
async function newestBefore(
  segment: string | undefined,
  names: readonly string[],
  topOf: TopOf,
  copies: Set<string>,
): Promise<string | undefined> {
  for (const name of names.toReversed()) {
    if (segment !== undefined && name >= segment) continue
    const { header } = await topOf(name)
    if (header === undefined || segmentName(header.epoch, header.segment) === name) return name
    copies.add(name)
  }
  return undefined
}

async function storeOf(names: readonly string[], topOf: TopOf): Promise<string | undefined> {
  for (const name of names.toReversed()) {
    const { header } = await topOf(name)
    if (header !== undefined) return header.store
  }
  return undefined
}

async function walkBack(
  newest: string | undefined,
  topOf: TopOf,
  newestBefore: (segment: string) => Promise<string | undefined>,
): Promise<Pick<SegmentChain, 'links' | 'pending' | 'warnings' | 'dropped'>> {
  const links: ChainLink[] = []
  const warnings: string[] = []
  let pending = false
  let at: ChainLink | undefined = newest === undefined ? undefined : { segment: newest }
  while (at !== undefined) {
    const { segment, end }: ChainLink = at
    const { previous, dropped, damaged } = await topOf(segment)
    const isFirst = segment.endsWith('.0001')
    if (previous === undefined && !damaged && isFirst && links.length === 0) {
      // Its owner got no further than its name: it holds nothing, and fences nobody's reading.
      pending = true
      const before: string | undefined = await newestBefore(segment)
      at = before === undefined ? undefined : { segment: before }
      continue
    }
    links.unshift(end === undefined ? { segment } : { segment, end })
    if (previous !== undefined && (isFirst || dropped !== undefined)) {
      links.unshift(...previous)
      return { links, pending, warnings, ...(dropped && { dropped }) }
    }
    const [last] = previous ?? []
    if (damaged)
      warnings.push(`The second line of journal/${segment}.jsonl is damaged: older segments are read up to their last byte.`)
    const before: string | undefined = last === undefined ? await newestBefore(segment) : undefined
    at = last ?? (before === undefined ? undefined : { segment: before, end: Number.MAX_SAFE_INTEGER })
  }
  return { links, pending, warnings }
}

async function readTop(disk: Disk, journal: string, segment: string): Promise<SegmentTop> {
  const path = segmentPath(journal, segment)
  const lines = await firstLines(disk, path)
  const [first, second] = lines
  const header = first && decodeLine(first)
  const format = header?.kind === 'header' ? header.header.format : first && claimedFormat(first)
  if (format !== undefined && format > storeFormat)
    throw new FleetError(
      'store_too_new',
      `${path} has store format ${format}; this version knows ${storeFormat}. Upgrade flotilla; nothing was changed.`,
      {
        details: { file: path, format },
      },
    )
  const previous = second && decodeLine(second)
  const known = header?.kind === 'header' ? { header: header.header } : {}
  if (previous?.kind === 'previous') {
    const { dropped } = previous
    return { ...known, previous: previous.previous, ...(dropped && { dropped }), damaged: false }
  }
  return { ...known, damaged: lines.length > 2 }
}

/** The first two lines, and a third when there is one. */
async function firstLines(disk: Disk, path: string): Promise<readonly Buffer[]> {
  for (let size = 4096; ; size *= 8) {
    const bytes = await readJournal(disk, path, 0, size)
    const lines: Buffer[] = []
    for (
      let start = 0, feed = bytes.indexOf(10);
      feed >= 0 && lines.length < 3;
      start = feed + 1, feed = bytes.indexOf(10, start)
    )
      lines.push(bytes.subarray(start, feed))
    if (lines.length >= 3 || bytes.length < size) return lines
  }
}

export function epochOf(segment: string): number {
  return Number(segment.slice(0, 8))
}
