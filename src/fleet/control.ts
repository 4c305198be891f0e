import type { FleetSummary } from '../engine/views.ts'
import type { CommandOutcome, RunCommand } from '../protocol/command.ts'
import type { Store, StoreOwner } from '../ports/store.ts'
import { lateReader } from './late-reader.ts'
import type { RunReader } from './run-reader.ts'

/** What became of a command, and who took it. */
export interface ControlOutcome extends CommandOutcome {
  /** The process that owned the store took it, or this one did because none owned it (ST10). */
  readonly by: 'owner' | 'here'
}

/** Reads a store, and steers the fleet that owns it, from any process (ST10). Reading creates nothing and needs no ownership. */
export interface Control {
  /** A reader of a run. */
  run(id: string): RunReader
  runs: Store['runs']
  /** The process that owns the store now, when there is one. */
  owner(): Promise<StoreOwner | undefined>
  summary(): Promise<FleetSummary>
  /**
   * Hands a command to the owner and waits for its answer; with no owner, takes the store, performs it, and lets go. Rejects
   * `posted_not_taken` after `waitMs` (default 5 s) without an answer, `unknown_run`, and the command's own refusals.
   */
  perform(command: RunCommand, options?: { readonly waitMs?: number; readonly signal?: AbortSignal }): Promise<ControlOutcome>
  close(): Promise<void>
}

/** Opens a store for reading and steering. The code for that is loaded with the first question. */
export function openControl(store: Store): Control {
  let made: Control | undefined
  const control = async (): Promise<Control> => {
    if (made !== undefined) return made
    const { createControl } = await import('./store-control.ts')
    return (made ??= createControl(store))
  }
  return {
    run: (id) => lateReader(id, async () => (await control()).run(id)),
    runs: (query) => store.runs(query),
    owner: () => store.owner(),
    summary: async () => (await control()).summary(),
    perform: async (command, options) => (await control()).perform(command, options),
    close: () => store.close(),
  }
}
