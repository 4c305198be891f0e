import type { AlertOutbox } from './alert-outbox.ts'
import type { Announcer } from './announcer.ts'
import type { AttemptWatch } from './attempt-watch.ts'
import type { BudgetWatch } from './budget-watch.ts'
import type { Turn } from './commit.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import { addedId } from './entry.ts'
import type { Entry } from './entry.ts'
import { fleetStream } from './fold.ts'
import { projected } from './live-cursor.ts'
import type { LiveCursors } from './live-cursor.ts'
import type { RunMemory } from './run-memory.ts'
import type { Snapshots } from './snapshots.ts'
import type { StallWatch } from './stalls.ts'
import type { RunState } from './state.ts'
import type { StoreWatch } from './store-watch.ts'
import type { WorkerHost } from './worker-host.ts'
import type { Workers } from './workers.ts'

/** What follows once entries are durable: they are announced, their effects performed, their deadlines armed (CO1, CO5). */
export interface Aftermath {
  /** These entries are durable. */
  durable(entries: Turn['entries']): void
  /** All that was committed together has been told of: looks once at every run that it concerned. */
  followed(): void
}

export function createAftermath(
  core: Core,
  parts: {
    readonly announcer: Announcer
    readonly cursors: LiveCursors
    readonly storeWatch: StoreWatch
    readonly workers: Workers
    readonly host: WorkerHost
    readonly effects: Effects
    readonly alerts: AlertOutbox
    readonly watch: AttemptWatch
    readonly budgets: BudgetWatch
    readonly stalls: StallWatch
    readonly snapshots: Snapshots
    readonly memory: RunMemory
  },
): Aftermath {
  const { state, deadlines } = core
  const { announcer, cursors, workers, host, effects, alerts, watch, budgets, stalls, snapshots, memory } = parts
  /** Runs of which something became durable since they were looked at last. */
  const concerned = new Set<string>()

  function ofRun(run: RunState, entry: Entry): void {
    cursors.note(run, entry)
    run.durableSeq = entry.seq
    announcer.hear(projected(run), entry)
    if (entry.alerts !== undefined) alerts.follow(run, entry)
    effects.perform(run, entry)
    for (const added of entry.tasks ?? []) armWait(run, addedId(added))
    if (entry.task !== undefined) ofTask(run, entry, entry.task)
  }

  function ofTask(run: RunState, entry: Entry, id: string): void {
    const task = run.tasks.get(id)
    if (task === undefined) return
    if (entry.set?.timeoutAt != null || entry.set?.notBefore != null) watch.arm(run, task)
    if (entry.set?.overBudget != null) budgets.arm(run, task)
    const worker = task.worker === null ? undefined : workers.get(task.worker)
    if (worker === undefined || entry.set?.status === undefined) return
    workers.settle(worker)
    // Its end comes back as an entry; a channel closes without rejecting.
    if (worker.status === 'retired' && worker.channel !== undefined) void host.retire(worker)
  }

  function armWait(run: RunState, taskId: string): void {
    const task = run.tasks.get(taskId)
    if (task?.status === 'backoff') watch.arm(run, task)
  }

  return {
    durable(entries) {
      if (entries.length > 0) parts.storeWatch.working()
      for (const { run: id, entry } of entries) {
        const run = state.runs.get(id)
        if (run !== undefined || id === fleetStream) concerned.add(id)
        if (run !== undefined) ofRun(run, entry)
      }
    },
    followed() {
      // A worker that came or went concerns every run (RU10).
      for (const id of concerned.has(fleetStream) ? state.runs.keys() : concerned) {
        const run = state.runs.get(id)
        if (run === undefined) continue
        stalls.look(run)
        budgets.armRun(run)
        snapshots.consider(run)
        memory.letGo(id)
      }
      concerned.clear()
      deadlines.refresh()
    },
  }
}
