import type { Fleet } from './fleet.ts'
import type { FleetOptions } from './options.ts'

/**
 * Opens a fleet: takes the store, ends what an earlier fleet left running, brings the workers up, and carries on the runs that have not
 * ended (ST11) and the alerts that are owed (AL2). Rejects `store_owned` when another process has the store, `invalid_option` with everything that is wrong with the
 * options. Importing the package starts nothing; a fleet shares nothing with another (CO7).
 */
export async function createFleet(options: FleetOptions = {}): Promise<Fleet> {
  const given = { ...options }
  // The first fleet of a process loads what opens one: whoever reads a store, or defines a task, needs none of it.
  const { openFleet } = await import('./open-fleet.ts')
  return (await openFleet(given)).fleet
}
