/** How much a finding matters: something is gone for good, something is not as it should be, or it is only worth knowing. */
export type FindingWeight = 'lost' | 'wrong' | 'note'

/** What a check found in a store's folder. */
export interface StoreFinding {
  readonly part: 'journal' | 'index' | 'snapshots' | 'blobs' | 'inbox' | 'leavings'
  readonly weight: FindingWeight
  /** A sentence for a person. */
  readonly message: string
  readonly run?: string
  readonly file?: string
  /** From 1. */
  readonly line?: number
  /** From 0. */
  readonly byte?: number
}
