import { hasEnded, holdsLease, isAtWork } from './model.ts'
import type { Happened } from './model.ts'

type Row = (happened: Happened) => boolean

const said =
  (state: string): Row =>
  ({ entry }) =>
    entry.events?.some((event) => event.state === state) === true

/** What is worth having been simulated: a thousand quiet seeds prove little. */
const rows: Readonly<Record<string, Row>> = {
  'an attempt was leased': ({ before, task }) => isAtWork(task) && !holdsLease(before),
  'an attempt failed and was tried again': ({ entry, before, task }) =>
    holdsLease(before) && entry.receipt?.result === 'fail' && task !== undefined && !hasEnded(task),
  'a task crossed its budget': ({ entry }) => entry.kind === 'task.over_budget',
  'a run crossed its budget': ({ entry }) => entry.kind === 'run.over_budget',
  'something was handed back in time': ({ before, entry }) =>
    before?.isOverBudget === true && entry.receipt?.result === 'partial',
  'a lease went stale': said('stale'),
  'an attempt timed out': ({ entry }) => entry.receipt?.result === 'timeout',
  'an attempt was given back': ({ before, task, entry }) =>
    holdsLease(before) && !holdsLease(task) && said('interrupted')({ entry } as Happened) && task?.status === 'enqueued',
  'a live attempt was cancelled': ({ before, task }) => holdsLease(before) && task?.status === 'cancelled',
  'a waiting task was cancelled': ({ before, task }) =>
    before !== undefined && !holdsLease(before) && task?.status === 'cancelled' && before.status !== 'cancelled',
  'a task was restarted': ({ before, task }) => before !== undefined && hasEnded(before) && task !== undefined && !hasEnded(task),
  'a run was paused': ({ entry }) => entry.run?.status === 'paused',
  'a run completed': ({ entry }) => entry.run?.status === 'completed',
  'a run failed': ({ entry }) => entry.run?.status === 'failed',
  'a run was cancelled': ({ entry }) => entry.run?.status === 'cancelled',
  'tasks were added to a run': ({ entry, run }) => entry.kind === 'tasks.added' && run.opened,
}

/** The situations that an entry shows. */
export function situationsOf(happened: Happened): string[] {
  return Object.keys(rows).filter((name) => rows[name]?.(happened) === true)
}
