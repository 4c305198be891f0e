import type { Control, FleetRunSpec } from '../index.ts'
import type { WatchedRun } from './watch-runs.ts'

/** How a run stands before it is watched. */
export type Standing = Omit<WatchedRun, 'run'>

/** Reads how a run stands, before a fleet goes on with it. */
export async function readStanding(control: Control, id: string): Promise<Standing> {
  const run = control.run(id)
  const { next_cursor: after } = await run.replay({ limit: 1 })
  const [views, { status }] = [await run.tasks(), await run.summary()]
  return { status, views, ...(after !== undefined && { after }) }
}

/** A run of which nothing has happened yet. */
export function freshStanding(spec: FleetRunSpec): Standing {
  return {
    status: 'pending',
    views: spec.tasks.map(({ id, name, depends_on }) => ({ id, name, status: 'blocked', attempt: 0, depends_on })),
  }
}
