import type { Core } from './core.ts'
import { instant } from './instant.ts'
import { awaitsVerdict } from './state.ts'
import type { RunState } from './state.ts'
import type { Workers } from './workers.ts'

/** The tasks of a run that nothing will ever move: no work, no wait, no verdict, and no registered worker for them (RU10). */
function stalledTasks(run: RunState, workers: Workers): string[] {
  const { counts } = run
  // Cheap to ask, and asked first: a run that works is not stalled.
  if (run.working > 0 || counts.enqueued + counts.blocked === 0) return []
  if (!run.carried || (run.status !== 'queued' && run.status !== 'running')) return []
  if (counts.verifying > 0 || counts.backoff > 0) return []
  // One look for each kind of requirement: nearly always one of them has its worker.
  if (run.ready.some((requirement) => workers.matching(requirement).length > 0)) return []
  const enqueued: string[] = []
  const blocked: string[] = []
  for (const task of run.tasks.values()) {
    // A person's verdict may free what is blocked.
    if (awaitsVerdict(task)) return []
    if (task.status === 'enqueued') enqueued.push(task.id)
    else if (task.status === 'blocked') blocked.push(task.id)
  }
  // Where none is enqueued, what is blocked waits for tasks that ended badly, since one was restarted by itself.
  return enqueued.length > 0 ? enqueued : blocked
}

/** Raises `run.stalled` once each time a run becomes stalled. */
export interface StallWatch {
  look(run: RunState): void
  /** The fleet is about to be handed over: what it found stalled is told once there was time to listen. */
  opened(): void
}

export function createStallWatch(core: Core, workers: Workers): StallWatch {
  const raised = new Set<string>()
  let isOpen = false

  function look(run: RunState): void {
    // While it opens, nobody can hear of it.
    if (!isOpen) return
    const waiting = stalledTasks(run, workers)
    const { id } = run.header
    if (waiting.length === 0) {
      raised.delete(id)
      return
    }
    if (raised.has(id)) return
    raised.add(id)
    core.announce({
      cursor: core.liveCursor(run),
      event: 'run.stalled',
      run_id: id,
      timestamp: instant(core.clock.now()),
      payload: { waiting },
    })
  }

  return {
    look,
    opened() {
      isOpen = true
      const lookAgain = (): void => core.state.runs.forEach(look)
      for (const run of core.state.runs.values())
        if (stalledTasks(run, workers).length > 0) return void core.clock.alarm(0, lookAgain, { keepAlive: false })
    },
  }
}
