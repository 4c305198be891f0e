import { AssertionError } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'
import type { RunReader } from '../fleet/run-reader.ts'
import type { FleetReceipt } from '../protocol/receipt.ts'
import type { FleetRunStatus } from '../protocol/run.ts'
import type { Json } from '../protocol/json.ts'
import type { TaskStatus } from '../lifecycles/lease.ts'
import { timeline } from './timeline.ts'

/** What a task is expected to be; what is left out may be anything. */
export interface ExpectedTask {
  /** The fleet's own word: `running`, `backoff`, `completed`, … */
  readonly status?: TaskStatus
  readonly attempts?: number
  /** The result of its latest receipt; null for a task without one. */
  readonly result?: FleetReceipt['result'] | null
  readonly failureKind?: FleetReceipt['failure_kind']
  readonly output?: Json
  /** Who had it last. */
  readonly worker?: string
}

/** What a run is expected to be. A text instead of a task's facts is its status. */
export interface ExpectedRun {
  readonly status?: FleetRunStatus
  readonly tasks?: Readonly<Record<string, TaskStatus | ExpectedTask>>
}

/** Holds a run against what is expected of it now. Throws an `AssertionError` that names every difference and tells the run's story. */
export async function assertRun(run: RunReader, expected: ExpectedRun): Promise<void> {
  const differences: string[] = []
  const { status } = await run.summary()
  if (expected.status !== undefined && status !== expected.status)
    differences.push(`the run is ${status}, not ${expected.status}`)
  const views = new Map((await run.tasks()).map((task) => [task.id, task]))
  for (const [id, wanted] of Object.entries(expected.tasks ?? {})) {
    const view = views.get(id)
    if (view === undefined) {
      differences.push(`there is no task ${id}; there are ${[...views.keys()].join(', ')}`)
      continue
    }
    const receipt = await run.receipt(id)
    const facts: Required<{ [Fact in keyof ExpectedTask]: unknown }> = {
      status: view.status,
      attempts: view.attempt,
      result: receipt?.result ?? null,
      failureKind: receipt?.failure_kind,
      output: receipt?.output,
      worker: receipt?.worker_id ?? view.worker,
    }
    const all: ExpectedTask = typeof wanted === 'string' ? { status: wanted } : wanted
    for (const fact of Object.keys(all) as (keyof ExpectedTask)[]) {
      if (!isDeepStrictEqual(facts[fact], all[fact]))
        differences.push(`the task ${id}: ${fact} is ${shown(facts[fact])}, not ${shown(all[fact])}`)
    }
  }
  if (differences.length === 0) return
  throw new AssertionError({ message: `${differences.join('\n')}\n\nThe run:\n${await timeline(run)}`, stackStartFn: assertRun })
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}
