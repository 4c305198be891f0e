import type { Entry } from '../engine/entry.ts'
import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { StoredEntry } from '../ports/store.ts'
import { keptAddressesOf } from './kept-addresses.ts'
import type { BlobRef } from '../store/json/doctor/examined-store.ts'

/** What the fleet itself keeps of an attempt; any other artifact may have been left in the workspace (AR1). */
const keptKinds: ReadonlySet<string> = new Set(['log', 'evidence'])

/** The bytes that an entry of the engine's names by their checksum (AR2, VE6). */
export function blobsOfEntry(stored: StoredEntry): readonly BlobRef[] {
  const { events = [], receipt, tasks = [] } = stored as unknown as Entry
  const reported = events.filter((event) => event.state === 'artifact')
  const addresses = tasks.flatMap(({ spec }) => keptAddressesOf(spec)).map((sha256): BlobRef => ({ sha256, isKept: true }))
  return [...addresses, ...[...reported, ...(receipt?.artifacts ?? [])].flatMap(refOf)]
}

function refOf({ kind, checksum }: Pick<FleetArtifactRef, 'kind' | 'checksum'>): readonly BlobRef[] {
  return checksum === undefined ? [] : [{ sha256: checksum.slice('sha256:'.length).toLowerCase(), isKept: keptKinds.has(kind) }]
}
