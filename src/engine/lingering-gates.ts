import type { Presence } from './presence.ts'
import type { FleetState } from './state.ts'
import type { TaskGates } from './task-gates.ts'

/**
 * Keeps the gates of an attempt that lost its lease until its end is confirmed: what was told to stop may still write what it claimed
 * (SC7, WO3).
 */
export function keepLingeringGates(state: FleetState, presence: Presence): void {
  const kept = new Map<object, TaskGates>()
  presence.onLinger((attempt, lingers) => {
    const { run, task, attempt: number } = attempt
    const holder = { run, task, attempt: number }
    if (lingers) {
      const gates = state.runs.get(run)?.tasks.get(task)?.gates ?? null
      if (gates === null) return
      kept.set(attempt, gates)
      state.gates.hold(holder, gates)
      return
    }
    const gates = kept.get(attempt)
    if (gates === undefined) return
    kept.delete(attempt)
    state.gates.release(holder, gates)
  })
}
