import { addedId, addedSpec } from '../engine/entry.ts'
import type { Entry } from '../engine/entry.ts'
import type { TaskState } from '../engine/state.ts'
import { isTagged } from '../engine/tagged.ts'
import type { FleetEvent } from '../protocol/fleet-event.ts'

/** Which of a run's events a reader asked for. */
export interface EventSelection {
  /** Learns the tasks that an entry adds. */
  learn(entry: Entry): void
  includes(event: FleetEvent): boolean
}

/** Every event. */
export const allEvents: EventSelection = { learn: () => undefined, includes: () => true }

/** The events of tasks with one of the tags, and none of the run itself. `tasks` are those that the run has by now. */
export function eventsOfTagged(
  tags: readonly string[],
  tasks: Iterable<Readonly<Pick<TaskState, 'id' | 'spec'>>>,
): EventSelection {
  const selected = new Set<string>()
  for (const { id, spec } of tasks) if (isTagged(spec, tags)) selected.add(id)
  return {
    learn(entry) {
      for (const added of entry.tasks ?? []) if (isTagged(addedSpec(added), tags)) selected.add(addedId(added))
    },
    includes: ({ task_id }) => task_id !== undefined && selected.has(task_id),
  }
}
