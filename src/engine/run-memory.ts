import type { AlertOutbox } from './alert-outbox.ts'
import type { AttemptWatch } from './attempt-watch.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import { fleetStream, forget } from './fold.ts'
import { recoverRun } from './recovery.ts'
import { loadFleetStream, loadRun } from './run-loader.ts'
import { createFleetState, isEndedRun, openTasks } from './state.ts'
import type { RunState } from './state.ts'
import type { Snapshots } from './snapshots.ts'
import type { Workers } from './workers.ts'

/** Which runs are in memory: those that have not ended or owe an alert, and those that somebody asks something of (CO9). */
export interface RunMemory {
  /** Hands over the run, read from the store when it is not in memory, undefined when there is none. It stays until `act` has settled. */
  use<Answer>(id: string, act: (run: RunState | undefined) => Promise<Answer>): Promise<Answer>
  /** Reads a run that was granted; `recoverRun` puts it back to work. */
  read(id: string): Promise<RunState | undefined>
  /** Reads a run again after its tentative state was discarded (CO1); gives its last sequence, 0 when the store has none of it. */
  reload(id: string, carried: boolean): Promise<number>
  /** The run as the store has it, for looking only; it does not enter the memory. */
  look(id: string): Promise<RunState | undefined>
  /** Lets go of a run that has ended, once nothing of it is in use or under way. */
  letGo(id: string): void
}

export function createRunMemory(
  core: Core,
  parts: {
    readonly workers: Workers
    readonly effects: Effects
    readonly watch: AttemptWatch
    readonly alerts: AlertOutbox
    readonly snapshots: Snapshots
  },
): RunMemory {
  const { state } = core
  const loading = new Map<string, Promise<RunState | undefined>>()
  const users = new Map<string, number>()

  /** One reading of a run at a time; whoever asks meanwhile waits for it. */
  function once(id: string, read: () => Promise<RunState | undefined>): Promise<RunState | undefined> {
    const present = state.runs.get(id)
    if (present !== undefined && !loading.has(id)) return Promise.resolve(present)
    let found = loading.get(id)
    if (found === undefined) {
      found = read().finally(() => loading.delete(id))
      loading.set(id, found)
    }
    return found
  }

  async function loadAndRecover(id: string): Promise<RunState | undefined> {
    const run = await loadRun(state, core, id, false)
    if (run !== undefined) await recoverRun(core, run, parts)
    // A run that had ended is this fleet's to carry on when something is restarted in it.
    if (run !== undefined && isEndedRun(run.status)) run.carried = true
    return run
  }

  function letGo(id: string): void {
    const run = state.runs.get(id)
    if (run === undefined || !isEndedRun(run.status) || openTasks(run) > 0 || run.unsettled > 0 || run.durableSeq < run.seq)
      return
    if (!users.has(id) && core.presence.ofRun(id) === 0 && !parts.snapshots.isTaking(id)) forget(state, run)
  }

  function release(id: string): void {
    const left = (users.get(id) ?? 1) - 1
    if (left > 0) users.set(id, left)
    else users.delete(id)
    letGo(id)
  }

  return {
    async use(id, act) {
      users.set(id, (users.get(id) ?? 0) + 1)
      try {
        return await act(await once(id, () => loadAndRecover(id)))
      } finally {
        release(id)
      }
    },
    read: (id) => once(id, () => loadRun(state, core, id, true)),
    async reload(id, carried) {
      if (id === fleetStream) return (await loadFleetStream(state, core)).seq
      const run = await loadRun(state, core, id, carried)
      if (run === undefined) return 0
      for (const task of run.tasks.values()) parts.watch.arm(run, task)
      parts.alerts.recover(run)
      return run.seq
    },
    look: (id) => loadRun(createFleetState(), { store: core.shown, clock: core.clock }, id, false),
    letGo,
  }
}
