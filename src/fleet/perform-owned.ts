import type { CommandOutcome, RunCommand } from '../protocol/command.ts'
import type { Store } from '../ports/store.ts'

/** Takes a store that nobody owns, performs one command without leasing anything, and lets go (ST10). */
export async function performOwned(store: Store, command: RunCommand): Promise<CommandOutcome> {
  const { openFleet } = await import('./open-fleet.ts')
  const { fleet, calls } = await openFleet({ store, leasing: false, carryOn: 'none' })
  try {
    return await calls.perform(command)
  } finally {
    // Nothing runs here; what the command set off may yet be told to whoever is to be alerted.
    await fleet.close()
  }
}
