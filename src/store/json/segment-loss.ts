import type { Disk } from './disk.ts'
import type { Place } from './marks.ts'
import type { ChainLink } from './segment-chain.ts'
import { segmentPath } from './segment-chain.ts'
import type { SegmentEnd } from './segment-line.ts'

/**
 * What of the history is not there any more, as sentences for a person: segments that are missing, or end before they did. Those that
 * were deleted on purpose are no links.
 */
export async function lossWarnings(disk: Disk, journal: string, links: readonly ChainLink[]): Promise<readonly string[]> {
  const warnings: string[] = []
  for (const { segment, end } of links) {
    if (end === undefined || end === Number.MAX_SAFE_INTEGER) continue
    const path = segmentPath(journal, segment)
    const size = (await disk.facts(path))?.size
    if (size === undefined) warnings.push(`${path} is missing. It held ${end} bytes of the history: restore it from a copy.`)
    else if (size < end) warnings.push(`${path} ends at byte ${size}, where ${end} were written: restore it from a copy.`)
  }
  return warnings
}

/** The index is never ahead of what was synced: where the journal ends before, the rest of it is lost. */
export function lossBehind(journal: string, ends: readonly SegmentEnd[], indexed: Place | undefined): readonly string[] {
  if (indexed === undefined) return []
  const found = ends.find(({ segment }) => segment === indexed.segment)
  const isLost = found === undefined ? indexed.segment > (ends.at(-1)?.segment ?? '') : found.end < indexed.byte
  const path = segmentPath(journal, indexed.segment)
  if (!isLost) return []
  const rest = found === undefined ? 'which is missing' : `which can be read up to byte ${found.end}`
  return [`The index knows of ${indexed.byte} bytes of ${path}, ${rest}: restore it from a copy.`]
}
