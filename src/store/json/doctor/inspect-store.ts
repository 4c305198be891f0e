import { FleetError } from '../../../protocol/errors.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { StoreOwner } from '../../../ports/store.ts'
import { hasEnded } from '../../row-list.ts'
import { IndexDocument } from '../index-document.ts'
import { segmentPath } from '../segment-chain.ts'
import { Snapshots } from '../snapshot.ts'
import { checkBlobs } from './blob-check.ts'
import type { ExaminedParts, ExaminedStore } from './examined-store.ts'
import { examine } from './examined-store.ts'
import type { StoreFinding } from './finding.ts'
import { checkInbox } from './inbox-check.ts'
import { checkIndex } from './index-check.ts'
import { checkJournal } from './journal-check.ts'
import { checkLeavings } from './leavings-check.ts'
import { checkSnapshots } from './snapshot-check.ts'

/** What lies in a store's folder, and what is wrong with it. */
export interface StoreInspection {
  /** The store's own id, when a header can be read. */
  readonly store: string | undefined
  readonly format: number | undefined
  readonly owner: StoreOwner | undefined
  readonly segments: number
  /** Bytes of the journal. */
  readonly bytes: number
  readonly runs: { readonly open: number; readonly ended: number; readonly removed: number }
  readonly findings: readonly StoreFinding[]
}

/** What the checks need besides the folder. */
export interface InspectionParts extends ExaminedParts {
  readonly clock: Clock
  readonly unique: () => string
}

const checks: readonly ((store: ExaminedStore, parts: InspectionParts) => Promise<readonly StoreFinding[]>)[] = [
  checkJournal,
  (store, parts) => checkIndex(store, new IndexDocument({ ...parts, delayMs: 0, isBusy: () => false })),
  (store, parts) => checkSnapshots(store, new Snapshots({ ...parts, reader: store.reader })),
  checkBlobs,
  (store, { clock }) => checkInbox(store, clock),
  checkLeavings,
]

/** Looks at everything in the folder, also while an owner works in it, and changes nothing. */
export async function inspectFolder(parts: InspectionParts): Promise<StoreInspection> {
  const { disk, layout } = parts
  const store = await examine(parts)
  if (store.chain.newest === undefined)
    throw new FleetError('unreadable_file', `There is no store in ${layout.root}. Name its folder.`, {
      details: { file: layout.root },
    })
  const findings: StoreFinding[] = []
  for (const check of checks) {
    await store.reader.refresh()
    findings.push(...(await check(store, parts)))
  }
  const sizes = await Promise.all(
    store.chain.links.map(async ({ segment }) => (await disk.facts(segmentPath(layout.journal, segment)))?.size ?? 0),
  )
  return {
    store: store.chain.store,
    format: store.chain.newest.header?.format,
    owner: store.owner,
    segments: sizes.length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    runs: countRuns(store),
    findings,
  }
}

function countRuns({ heads }: ExaminedStore): StoreInspection['runs'] {
  const all = [...heads.all()]
  const there = all.filter(({ row, removed }) => row !== undefined && removed !== true)
  const ended = there.filter(({ row }) => hasEnded(row)).length
  return { open: there.length - ended, ended, removed: all.filter(({ removed }) => removed === true).length }
}
