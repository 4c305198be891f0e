import type { RunCommand, CommandOutcome } from '../protocol/command.ts'
import { FleetError } from '../protocol/errors.ts'
import type { RunRow, Store } from '../ports/store.ts'
import { addCounters, countersOf, noTasks } from '../engine/views.ts'
import { isEndedRun } from '../engine/state.ts'
import { performOwned } from './perform-owned.ts'
import { createRunReader, storeSource } from './run-reader.ts'
import type { Control, ControlOutcome } from './control.ts'
import { systemClock } from '../host/clock.ts'
import { systemIds } from '../host/ids.ts'

const defaultWaitMs = 5_000
/** So many owners in a row may be closing when they are asked. */
const mostOwners = 5

/** What `openControl` gives, once its code is needed. */
export function createControl(store: Store): Control {
  const source = storeSource(store, systemClock())
  return {
    run: (id) => createRunReader(source, id),
    runs: (query) => store.runs(query),
    owner: () => store.owner(),
    async summary() {
      let total = noTasks
      for (const row of await store.runs()) total = addCounters(total, await countersOfRow(row))
      return { ...total, workers: {} }
    },
    async perform(command, { waitMs = defaultWaitMs, signal } = {}) {
      if ((await store.row({ id: command.run_id })) === undefined) throw unknown(command.run_id)
      for (let owners = 1; ; owners += 1) {
        try {
          return await hand(command, waitMs, signal)
        } catch (error) {
          // The owner was closing, and did nothing: whoever comes after it is asked.
          if (!FleetError.is(error, 'fleet_closed') || owners === mostOwners) throw error
        }
      }
    },
    close: () => store.close(),
  }

  async function hand(command: RunCommand, waitMs: number, signal: AbortSignal | undefined): Promise<ControlOutcome> {
    const owner = await store.owner()
    if (owner?.alive === false || owner === undefined) {
      try {
        return { ...(await performOwned(store, command)), by: 'here' }
      } catch (error) {
        // Somebody took the store in between: hand the command over.
        if (!FleetError.is(error, 'store_owned')) throw error
      }
    }
    return { ...(await post(command, waitMs, signal)), by: 'owner' }
  }

  async function post(command: RunCommand, waitMs: number, signal: AbortSignal | undefined): Promise<CommandOutcome> {
    const answer = await store.post({ id: systemIds().next('cmd'), command }, { waitMs, ...(signal !== undefined && { signal }) })
    if (answer === undefined) {
      throw new FleetError(
        'posted_not_taken',
        `The command was posted, but not taken within ${waitMs / 1000} s. The owner will take it when it can.`,
      )
    }
    if (answer.ok) return answer.outcome
    throw new FleetError(answer.code, answer.message, { details: (answer.details ?? {}) as Record<string, unknown> })
  }

  async function countersOfRow(row: RunRow): Promise<typeof noTasks> {
    if (isEndedRun(row.status) && row.counts !== undefined) return { ...noTasks, ...row.counts }
    return source.look(row.id, (run) => (run === undefined ? noTasks : countersOf(run)))
  }
}

function unknown(id: string): FleetError {
  return new FleetError('unknown_run', `No run ${id} in this store. List the runs with \`flotilla list\`.`, {
    details: { run_id: id },
  })
}
