import { FleetError } from '../protocol/errors.ts'
import { createAftermath } from './aftermath.ts'
import { createAlertOutbox } from './alert-outbox.ts'
import type { AlertOutbox } from './alert-outbox.ts'
import { alertsAfter } from './alerting.ts'
import { createAnnouncer } from './announcer.ts'
import { createAttemptWatch } from './attempt-watch.ts'
import { createBudgetWatch } from './budget-watch.ts'
import { createCommits } from './commit.ts'
import type { Core, EnginePorts } from './core.ts'
import { createDeadlines } from './deadlines.ts'
import type { Decide, TurnHooks } from './turns.ts'
import { createTurns } from './turns.ts'
import type { DecideContext } from './decide.ts'
import { createEffects } from './effects.ts'
import type { Effects } from './effects.ts'
import { entryOf, nothing } from './entry.ts'
import type { Draft, Entry } from './entry.ts'
import { createFleetSnapshots } from './fleet-snapshots.ts'
import { fold, forget } from './fold.ts'
import { createLiveCursors } from './live-cursor.ts'
import { keepLingeringGates } from './lingering-gates.ts'
import { createPresence } from './presence.ts'
import { createReports } from './reports.ts'
import type { Reports } from './reports.ts'
import { schedule } from './schedule.ts'
import { createStallWatch } from './stalls.ts'
import { createFleetState, openTasks } from './state.ts'
import type { RunState } from './state.ts'
import { createStoreWatch } from './store-watch.ts'
import { recoverRun } from './recovery.ts'
import { rowOf } from './row.ts'
import { createRunMemory } from './run-memory.ts'
import { createSnapshots } from './snapshots.ts'
import { createWorkerHost } from './worker-host.ts'
import type { WorkerHost } from './worker-host.ts'
import { createWorkerLine } from './worker-line.ts'
import { createWorkers } from './workers.ts'
import type { Worker, Workers } from './workers.ts'
import { drainWorker } from './drain.ts'

/** How often whoever waits for a failing store looks again. */
const storePauseMs = 100

/** The running engine: commands go in, entries come out, and the world is kept in step. */
export interface Engine {
  readonly core: Core
  readonly workers: Workers
  readonly host: WorkerHost
  readonly reports: Reports
  readonly effects: Effects
  readonly alerts: AlertOutbox
  /** A caller's command (CO1). */
  command<Answer>(decide: Decide<Answer>): Promise<Answer>
  /** Hands over the run, read from the store when it is not in memory, undefined when there is none. It stays until `act` has settled. */
  use<Answer>(id: string, act: (run: RunState | undefined) => Promise<Answer>): Promise<Answer>
  /** What a view makes of a run, for looking only: given once all that it saw is durable (CO1). Undefined is a run that is not there. */
  look<View>(id: string, view: (run: RunState | undefined) => View): Promise<View>
  /** Takes no more leases on a worker, and retires it when its last has ended; what is left after `graceMs` is released (WO1). */
  drain(worker: Worker, graceMs: number | undefined): Promise<void>
  /** Reads a run that was granted; `recover` puts it back to work. */
  read(id: string): Promise<RunState | undefined>
  recover(run: RunState): Promise<void>
  /** Nothing is missing any more for the caller to have the fleet. */
  opened(): void
  /** Saves a snapshot of the fleet's own stream, if something came to it since the last one. */
  keepFleetStream(): Promise<void>
  /** Deletes a run that has ended, here and in the store (RU8). */
  drop(id: string): Promise<void>
  /** Takes back a run that was never opened, here at once, then in the store (RU1). */
  discard(id: string): Promise<void>
  /** What is durable by now has been announced. */
  announced(): Promise<void>
  /** Whether leases are given out. */
  leasing: boolean
  /** Once closing, commands are refused. */
  closing: boolean
  /** From now on a failing store is not waited for (CO8). */
  giveUpOnStore(): void
  /** Saves what makes the next opening fast. */
  saveSnapshots(): Promise<void>
  /** Everything decided so far is durable, or discarded. */
  settled(): Promise<void>
}

export function createEngine(ports: EnginePorts, storeId: () => string): Engine {
  const { store, clock, defaults } = ports
  const state = createFleetState({
    limits: ports.concurrency,
    later: (ms, act) => void deadlines.after(ms, () => (act(), turns.nudge())),
  })
  const presence = createPresence()
  keepLingeringGates(state, presence)
  const deadlines = createDeadlines(clock, { keepAlive: hasOpenWork })
  const workers = createWorkers(
    { held: (worker) => state.holdings.get(worker) ?? 0, lingering: (worker) => presence.lingering(worker) },
    defaults.abandonedAtOnce,
  )
  const announcer = createAnnouncer(clock, ports)
  const cursors = createLiveCursors()
  let leasing = false
  let closing = false
  let now = clock.now()

  const storeWatch = createStoreWatch(
    { ...ports, state, presence, deadlines },
    { reload: (id, carried) => memory.reload(id, carried) },
  )
  const commits = createCommits(ports, {
    restore: (runs, error) => storeWatch.restore(runs, error),
    followed: () => aftermath.followed(),
    resumed() {
      effects.again()
      turns.retryKept()
    },
    rowOf: (run) => rowOf(state.runs.get(run)),
  })
  const fleetSnapshots = createFleetSnapshots(store, state, () => commits.durable())
  const hooks: TurnHooks = {
    context,
    apply,
    following(decided, on, entry) {
      const run = state.runs.get(on)
      return run?.alertPolicies.any === true ? alertsAfter(decided, run, entry) : undefined
    },
    schedule: (decided) => (leasing && !closing ? schedule(decided, workers) : nothing()),
    durable: (entries) => aftermath.durable(entries),
    refusing: () => storeWatch.refusing(),
    keepLimit: defaults.keptReports,
  }
  const turns = createTurns(commits, hooks)
  const core: Core = { ...ports, state, presence, deadlines, turns, liveCursor: (run) => cursors.of(run) }
  const budgets = createBudgetWatch(core)
  const watch = createAttemptWatch(core, workers, budgets)
  const alerts = createAlertOutbox(core)
  const effects = createEffects(core, workers, watch, alerts)
  const stalls = createStallWatch(core, workers)
  const snapshots = createSnapshots(core, { durable: () => commits.durable(), taken: (run) => memory.letGo(run) })
  const memory = createRunMemory(core, { workers, effects, watch, alerts, snapshots })
  // Not at once: what ended the attempt has yet to be recorded.
  presence.onEnd(({ run }) => queueMicrotask(() => memory.letGo(run)))
  const reports = createReports(core, workers, effects, memory.use)
  const kept = async (): Promise<void> => {
    // What was just read is dealt with in the same turn.
    await clock.turn()
    await reports.taken()
    while (turns.keepsReports() || !(await commits.durable())) await clock.sleep(storePauseMs, { keepAlive: false })
  }
  const host = createWorkerHost(core, workers, { reports, line: createWorkerLine(core, workers) }, { id: storeId, kept })

  const aftermath = createAftermath(core, {
    ...{ announcer, cursors, storeWatch, workers, host, effects, alerts, watch, budgets, stalls, snapshots, memory },
  })

  function context(): DecideContext {
    now = clock.now()
    return {
      state,
      now,
      draw: () => ports.ids.random(),
      defaults,
      scorers: ports.scorers,
      alertSinks: ports.alertSinks,
      termsOf: (task, worker) => workers.termsOf(task, worker),
    }
  }

  function apply(draft: Draft): Entry {
    const { on } = draft
    const seq = (on === 'fleet' ? state.fleetSeq : (state.runs.get(on)?.seq ?? 0)) + 1
    const entry = entryOf(draft, seq, now)
    fold(state, on, entry)
    // The slot of a revoked attempt stays taken until its end is confirmed, from the moment of the decision (WO3).
    if (entry.effects?.includes('worker.stop') === true) {
      const revoked = presence.get(on, entry.task ?? '', entry.attempt ?? 0)
      if (revoked !== undefined) presence.linger(revoked)
    }
    return entry
  }

  async function look<View>(id: string, view: (run: RunState | undefined) => View): Promise<View> {
    while (storeWatch.refusing() === undefined && state.runs.has(id)) {
      const seen = view(state.runs.get(id))
      if (await commits.durable()) return seen
    }
    // It is not in memory, or memory is not to be trusted now: the store tells.
    return view(await memory.look(id))
  }

  function hasOpenWork(): boolean {
    if (closing) return true
    for (const run of state.runs.values()) if (run.carried && run.status !== 'pending' && openTasks(run) > 0) return true
    return false
  }

  return {
    core,
    workers,
    host,
    reports,
    effects,
    alerts,
    async command(decide) {
      if (closing) throw new FleetError('fleet_closed', 'The fleet is closed. Create a new one to go on.')
      return turns.command(decide)
    },
    use: memory.use,
    read: memory.read,
    saveSnapshots: snapshots.close,
    look,
    drain: (worker, graceMs) => drainWorker(core, { workers, host }, worker, graceMs),
    keepFleetStream: () => fleetSnapshots.keep(),
    async drop(id) {
      await fleetSnapshots.keep()
      await store.remove(id)
      const run = state.runs.get(id)
      if (run !== undefined) forget(state, run)
    },
    async discard(id) {
      announcer.forget(id)
      // Nothing may be decided about it any more when its tombstone is written.
      const run = state.runs.get(id)
      if (run !== undefined) forget(state, run)
      await store.remove(id)
    },
    announced: () => announcer.idle(),
    opened: stalls.opened,
    recover: (run) => recoverRun(core, run, { workers, effects, watch, alerts }),
    get leasing() {
      return leasing
    },
    set leasing(value) {
      leasing = value
      if (value) turns.nudge()
    },
    get closing() {
      return closing
    },
    set closing(value) {
      closing = value
    },
    giveUpOnStore: () => storeWatch.giveUp(),
    settled: () => commits.settled(),
  }
}
