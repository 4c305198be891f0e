import { join } from 'node:path'
import { locate } from '../damage.ts'
import { readJournal } from '../journal-bytes.ts'
import { epochOf, listSegments, missingSegments, segmentPath } from '../segment-chain.ts'
import type { ExaminedStore } from './examined-store.ts'
import type { StoreFinding } from './finding.ts'

/** Segments that are missing, damaged lines and whose runs stop there, a torn tail, and files that are no part of the history. */
export async function checkJournal(store: ExaminedStore): Promise<readonly StoreFinding[]> {
  const { chain } = store
  const warnings = chain.warnings.map((message): StoreFinding => ({ part: 'journal', weight: 'wrong', message }))
  return [...warnings, ...missing(store), ...(await damaged(store)), ...(await torn(store)), ...(await beside(store))]
}

function missing({ disk, layout, chain }: ExaminedStore): StoreFinding[] {
  return missingSegments(disk, layout.journal, chain.links).map((segment) => ({
    part: 'journal',
    weight: 'lost',
    message: 'A segment is missing, with all that stood in it.',
    file: segmentPath(layout.journal, segment),
  }))
}

async function damaged({ disk, layout, heads }: ExaminedStore): Promise<StoreFinding[]> {
  const findings: StoreFinding[] = []
  for (const { place, run } of heads.damages) {
    const at = await locate(disk, layout.journal, place)
    if (run === undefined) {
      findings.push({ part: 'journal', weight: 'lost', message: 'A line is damaged; whose entry it was cannot be told.', ...at })
      continue
    }
    const message = `The history of run ${run} breaks after entry ${heads.seq(run)}: what stands there is not what was written.`
    findings.push({ part: 'journal', weight: 'lost', message, run, ...at })
  }
  return findings
}

/** Bytes behind the last whole batch. While an owner lives they may be on their way. */
async function torn({ disk, layout, owner, reader }: ExaminedStore): Promise<StoreFinding[]> {
  const at = reader.position
  if (at === undefined || (owner !== undefined && owner.alive !== false)) return []
  const { length } = await readJournal(disk, segmentPath(layout.journal, at.segment), at.byte)
  if (length === 0) return []
  const message = `${length} bytes at the end were never acknowledged; they are cut off, and kept aside, when the store is opened.`
  return [{ part: 'journal', weight: 'wrong', message, ...(await locate(disk, layout.journal, at)) }]
}

async function beside({ disk, layout, chain }: ExaminedStore): Promise<StoreFinding[]> {
  const { journal } = layout
  const counted = new Set(chain.links.map(({ segment }) => segment))
  const strange = (await listSegments(disk, journal)).filter(
    (segment) => !counted.has(segment) && epochOf(segment) < (chain.newest?.epoch ?? 0) && !segment.endsWith('.0001'),
  )
  const aside = (await disk.list(journal)).filter((name) => name.includes('.torn-'))
  const note = (message: string, file: string): StoreFinding => ({ part: 'journal', weight: 'note', message, file })
  return [
    ...strange.map((segment) => note('A segment is no part of the history any more.', segmentPath(journal, segment))),
    ...aside.map((name) => note('A torn tail was cut from its segment and kept here.', join(journal, name))),
  ]
}
