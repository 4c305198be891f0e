import type { Store } from '../ports/store.ts'
import { fleetStream } from './fold.ts'
import { fleetSnapshotSource } from './snapshot.ts'
import type { FleetState } from './state.ts'

/** Saves the fleet's own stream, so that its first entries may go with the segments that nothing else needs (ST7). */
export interface FleetSnapshots {
  /** Saves what came since the last time, if anything did. Never rejects: a snapshot that fails costs only space. */
  keep(): Promise<void>
}

/** `durable` tells whether all that was decided so far is durable, or never will be. */
export function createFleetSnapshots(store: Store, state: FleetState, durable: () => Promise<boolean>): FleetSnapshots {
  let savedSeq = 0
  return {
    async keep() {
      const seq = state.fleetSeq
      if (seq === savedSeq) return
      const through = async (): Promise<number | undefined> => {
        const last = state.fleetSeq
        return (await durable()) ? last : undefined
      }
      const isSaved = await store.saveSnapshot(fleetStream, fleetSnapshotSource(state, through)).then(
        () => true,
        () => false,
      )
      if (isSaved) savedSeq = seq
    },
  }
}
