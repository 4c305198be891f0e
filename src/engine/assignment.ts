import type { PreparedWorkspace, Workspaces } from '../ports/workspaces.ts'
import type { FleetReceipt } from '../protocol/receipt.ts'
import type { DependencyResult } from '../protocol/wire.ts'
import type { Core } from './core.ts'
import { dependencyResults, previousReceipts } from './receipts.ts'
import type { RunState, TaskState } from './state.ts'

/** What an attempt needs besides its task. */
export interface Assignment {
  readonly prepared: PreparedWorkspace
  /** Receipts of the attempts before, oldest first (RE5). */
  readonly previous: readonly FleetReceipt[]
  readonly dependencies: readonly DependencyResult[]
}

type Gathered = Assignment | { readonly problems: readonly string[] }

/**
 * Gathers what an attempt needs, or everything that speaks against starting it (WS2, WS3). A task that asks for nothing, has no
 * dependencies and was never tried waits for nothing either: it gets its assignment at once, without a promise.
 */
export function gatherAssignment(core: Core, run: RunState, task: TaskState): Gathered | Promise<Gathered> {
  const prepared = core.workspaces.prepare(task.spec, run.header.workspace)
  const isAlone = task.receipts.length === 0 && (task.spec.depends_on ?? []).length === 0
  if (prepared instanceof Promise || !isAlone) return read(core, run, task, prepared)
  return 'problems' in prepared ? prepared : { prepared, previous: [], dependencies: [] }
}

async function read(core: Core, run: RunState, task: TaskState, preparing: ReturnType<Workspaces['prepare']>): Promise<Gathered> {
  const prepared = await preparing
  if ('problems' in prepared) return prepared
  const previous = await previousReceipts(core.store, run, task)
  return { prepared, previous, dependencies: await dependencyResults(core.store, run, task) }
}
