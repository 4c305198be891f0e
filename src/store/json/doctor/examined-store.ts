import type { StoredEntry, StoreOwner } from '../../../ports/store.ts'
import type { Disk } from '../disk.ts'
import { JournalReader } from '../journal-reader.ts'
import type { HeadsIndex } from '../journal-reader.ts'
import type { Layout } from '../layout.ts'
import { readOwner } from '../owner.ts'
import type { HostFacts } from '../process-identity.ts'
import type { RunHeads } from '../run-heads.ts'
import type { SegmentChain } from '../segment-chain.ts'
import { resolveChain } from '../segment-chain.ts'

/** Bytes that an entry refers to. */
export interface BlobRef {
  readonly sha256: string
  /** False when they may have been left where they were. */
  readonly isKept: boolean
}

export interface ExaminedParts {
  readonly disk: Disk
  readonly layout: Layout
  readonly host: HostFacts
  /** The blobs that an entry names: what an entry says is not the store's to know. */
  readonly blobsOf: (entry: StoredEntry) => readonly BlobRef[]
}

/** A store's folder as its journal tells it, read from its first byte to its last, without the index. */
export interface ExaminedStore extends ExaminedParts {
  readonly chain: SegmentChain
  readonly owner: StoreOwner | undefined
  readonly reader: JournalReader
  readonly heads: RunHeads
}

/** Everything is read from the journal. */
export const noIndex: HeadsIndex = { load: async () => undefined, shard: async () => undefined }

/** Changes nothing. Rejects `store_too_new`. */
export async function examine(parts: ExaminedParts): Promise<ExaminedStore> {
  const { disk, layout, host } = parts
  const chain = await resolveChain(disk, layout.journal)
  const owner = await readOwner(disk, layout.journal, chain, host)
  const reader = new JournalReader(disk, layout.journal, host, noIndex)
  await reader.refresh()
  return {
    ...parts,
    chain,
    owner,
    reader,
    get heads() {
      return reader.heads
    },
  }
}
