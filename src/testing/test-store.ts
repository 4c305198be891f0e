import type { Store } from '../ports/store.ts'

/** A store that can lose its owner as a crash would. */
export interface TestStore extends Store {
  /** Ends the owner: what is not durable is lost, and the store is free. */
  crash(): void
  /** Another store on the same contents, for the next process. */
  peer(): TestStore
}
