import { FleetError } from '../protocol/errors.ts'
import type { EnginePorts } from './core.ts'
import type { Deadlines } from './deadlines.ts'
import { forget } from './fold.ts'
import { instant } from './instant.ts'
import type { Presence } from './presence.ts'
import { isWorking } from './state.ts'
import type { FleetState } from './state.ts'

/** Follows the health of the store (CO1, ST5): what a failed append leaves is read again, and nothing is promised meanwhile. */
export interface StoreWatch {
  /** Why commands are refused now, if they are. */
  refusing(): FleetError | undefined
  /** Reads the runs again, as soon as the store can be read. Gives each run's last durable sequence. */
  restore(runs: ReadonlySet<string>, error: FleetError): Promise<ReadonlyMap<string, number>>
  /** An append succeeded. */
  working(): void
  /** From now on a failing store is not waited for: the fleet closes (CO8). */
  giveUp(): void
}

interface Failing {
  tries: number
  /** Commands are refused until the runs were read again. */
  restoring: boolean
  /** It was announced. */
  told: boolean
}

const firstWaitMs = 50
const longestWaitMs = 5_000

export function createStoreWatch(
  core: EnginePorts & { readonly state: FleetState; readonly presence: Presence; readonly deadlines: Deadlines },
  hooks: {
    /** Reads one run into the state; gives its last sequence, 0 when the store has none of it. */
    readonly reload: (run: string, carried: boolean) => Promise<number>
  },
): StoreWatch {
  const { clock } = core
  let failing: Failing | undefined
  let fenced: FleetError | undefined
  const patience = new AbortController()

  async function restore(runs: ReadonlySet<string>, error: FleetError): Promise<ReadonlyMap<string, number>> {
    if (error.code === 'store_conflict') fenced = error
    const now = (failing ??= begin(error))
    now.restoring = true
    // Leases do not run while nothing can be recorded (LE5).
    core.deadlines.hold()
    const stored = new Map<string, number>()
    const carried = new Map([...runs].map((id) => [id, core.state.runs.get(id)?.carried ?? true]))
    for (;;) {
      if (fenced === undefined && now.told)
        await clock.sleep(Math.min(longestWaitMs, firstWaitMs * 2 ** now.tries), { keepAlive: true, signal: patience.signal })
      if (patience.signal.aborted) fenced ??= closedWhileFailing(error)
      now.tries += 1
      try {
        for (const id of runs) {
          const before = core.state.runs.get(id)
          if (before !== undefined) forget(core.state, before)
          stored.set(id, await hooks.reload(id, carried.get(id) ?? true))
        }
        break
      } catch {
        // It cannot be read either; what is in memory is not to be trusted, so nothing goes on until it can.
        if (!now.told) core.announce(liveEvent('store.failing', { reason: error.message }))
        now.told = true
      }
      if (fenced !== undefined) break
    }
    for (const attempt of core.presence.all()) core.presence.linger(attempt, !isLive(attempt))
    core.deadlines.goOn()
    now.restoring = false
    return stored
  }

  function begin(error: FleetError): Failing {
    // An id that was used before is the caller's mistake: the store is well (RU8).
    const told = error.code !== 'run_exists'
    if (told) core.announce(liveEvent('store.failing', { reason: error.message }))
    return { tries: 0, restoring: true, told }
  }

  function isLive(attempt: { readonly run: string; readonly task: string; readonly attempt: number }): boolean {
    const task = core.state.runs.get(attempt.run)?.tasks.get(attempt.task)
    return task !== undefined && task.attempt === attempt.attempt && isWorking(task.status)
  }

  function liveEvent<Name extends 'store.failing' | 'store.recovered'>(
    event: Name,
    payload: Name extends 'store.failing' ? { reason: string } : Record<string, never>,
  ) {
    return { cursor: '', event, run_id: '', timestamp: instant(clock.now()), payload } as Parameters<EnginePorts['announce']>[0]
  }

  return {
    refusing() {
      if (fenced !== undefined) return fenced
      if (failing?.restoring !== true) return undefined
      return new FleetError(
        'store_failing',
        'The store cannot be written at the moment, so nothing was changed. Try again shortly.',
      )
    },
    restore,
    giveUp: () => patience.abort(),
    working() {
      if (failing === undefined) return
      const { told } = failing
      failing = undefined
      if (told) core.announce(liveEvent('store.recovered', {}))
    },
  }
}

function closedWhileFailing(cause: FleetError): FleetError {
  return new FleetError('fleet_closed', `The fleet was closed while its store was failing: ${cause.message}`, { cause })
}
