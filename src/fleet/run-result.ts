import { wholeReceipt } from '../engine/receipt-record.ts'
import type { Store } from '../ports/store.ts'
import { FleetError } from '../protocol/errors.ts'
import type { Json } from '../protocol/json.ts'
import type { FleetReceipt } from '../protocol/receipt.ts'
import type { FleetRunStatus } from '../protocol/run.ts'
import type { Resting, Steps } from '../protocol/steps.ts'
import type { TaskDefinition } from '../worker/define-task.ts'
import { entryPages } from './entry-pages.ts'

/** How a run ended. */
export interface RunResult {
  readonly id: string
  readonly status: FleetRunStatus
  /** The latest receipt of each task, by task id. */
  readonly receipts: Readonly<Record<string, FleetReceipt>>
  /** The latest receipts that are `fail` or `timeout`. */
  readonly failures: readonly FleetReceipt[]
  /**
   * What a task returned, with the type that its definition gives. Throws `unknown_task` when the run has no such task, and
   * `run_not_completed` when the task did not complete.
   */
  output<Output>(definition: Pick<TaskDefinition<string, unknown, Output>, 'name' | 'output'>, taskId: string): Output
  /** Throws `run_not_completed`, naming what failed, unless the run completed. */
  assertCompleted(): void
}

/** Reads the latest receipt of every task of a run. */
export async function readReceipts(store: Store, run: string, clock: Resting): Promise<Map<string, FleetReceipt[]>> {
  const receipts = new Map<string, FleetReceipt[]>()
  for await (const entries of entryPages(store, run, clock)) {
    for (const entry of entries) {
      const { task } = entry
      const receipt = wholeReceipt(run, entry)
      if (task === undefined || receipt === undefined) continue
      const list = receipts.get(task)
      if (list === undefined) receipts.set(task, [receipt])
      else list.push(receipt)
    }
  }
  return receipts
}

/** In steps: the result of a run that has ended. */
export function* makingResult(
  id: string,
  status: FleetRunStatus,
  history: ReadonlyMap<string, readonly FleetReceipt[]>,
): Steps<RunResult> {
  const receipts: Record<string, FleetReceipt> = {}
  const failures: FleetReceipt[] = []
  for (const [task, list] of history) {
    const latest = list.at(-1)
    if (latest === undefined) continue
    // Defined, because a task may be called `__proto__`.
    Object.defineProperty(receipts, task, { value: latest, enumerable: true, configurable: true, writable: true })
    if (latest.result === 'fail' || latest.result === 'timeout') failures.push(latest)
    yield
  }
  return {
    id,
    status,
    receipts,
    failures,
    output<Output>(_: Pick<TaskDefinition<string, unknown, Output>, 'name' | 'output'>, taskId: string): Output {
      const receipt = Object.hasOwn(receipts, taskId) ? receipts[taskId] : undefined
      if (receipt === undefined) throw new FleetError('unknown_task', `The run ${id} has no receipt of a task ${taskId}.`)
      if (receipt.result !== 'pass' && receipt.result !== 'partial') {
        throw new FleetError('run_not_completed', `The task ${taskId} gave no output: ${describe(receipt)}`, {
          details: { receipt },
        })
      }
      // The output schema of the definition accepted it when it was made.
      return receipt.output as Json as Output
    },
    assertCompleted() {
      if (status === 'completed') return
      const told = failures.slice(0, 5).map((receipt) => `${receipt.task_id}: ${describe(receipt)}`)
      const more = failures.length > 5 ? [`and ${failures.length - 5} more`] : []
      throw new FleetError('run_not_completed', [`The run ${id} ended ${status}.`, ...told, ...more].join('\n'), {
        details: { failures },
      })
    },
  }
}

function describe(receipt: FleetReceipt): string {
  return `${receipt.result}${receipt.failure_kind === undefined ? '' : ` (${receipt.failure_kind})`}${receipt.evidence === undefined ? '' : `: ${receipt.evidence}`}`
}
