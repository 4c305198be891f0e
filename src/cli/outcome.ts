import type { Control, FleetReceipt, RunSummary, TaskView } from '../index.ts'
import type { FleetRun, FleetTaskSpec } from '../protocol/index.ts'

/** A task at the end of a run, or when the command line stopped waiting for it. */
export interface TaskOutcome {
  readonly id: string
  readonly name: string
  readonly status: TaskView['status']
  readonly attempt: number
  /** The latest receipt, when there is one. */
  readonly receipt: FleetReceipt | undefined
  /** A person must say whether it passes (VE5). */
  readonly awaitsVerdict: boolean
  /** Kinds of `expected_artifacts` that it did not leave (AR5). */
  readonly missing: readonly string[]
  /** It handed back what it had when its budget ran out (BU2). */
  readonly isEarly: boolean
  /** It succeeded, and nothing checked it. */
  readonly isUnscored: boolean
}

/** A run at its end, or when the command line stopped waiting for it. */
export interface RunOutcome {
  readonly summary: RunSummary
  readonly tasks: readonly TaskOutcome[]
}

/** Reads how a run stands. */
export async function readOutcome(control: Control, id: string): Promise<RunOutcome> {
  const run = control.run(id)
  const [spec, views, receipts, summary] = [await run.spec(), await run.tasks(), await run.receipts(), await run.summary()]
  return { summary, tasks: outcomesOf(spec, views, receipts) }
}

/** What the tasks of a run came to. `receipts` are in the order in which they were given. */
export function outcomesOf(
  run: Pick<FleetRun, 'task_specs'>,
  views: readonly TaskView[],
  receipts: readonly FleetReceipt[],
): TaskOutcome[] {
  const specs = new Map(run.task_specs.map((spec) => [spec.id, spec]))
  const latest = new Map(receipts.map((receipt) => [receipt.task_id, receipt]))
  return views.map((view) => {
    const spec = specs.get(view.id)
    const receipt =
      view.status === 'completed' || view.status === 'failed' || view.status === 'cancelled' ? latest.get(view.id) : undefined
    const isPartial = view.status === 'completed' && receipt?.result === 'partial' && receipt.settled === undefined
    const missing = isPartial && spec !== undefined ? missingArtifacts(spec, receipt) : []
    const isEarly = isPartial && spec !== undefined && isOverBudget(spec, receipt)
    return {
      id: view.id,
      name: view.name,
      status: view.status,
      attempt: view.attempt,
      receipt,
      awaitsVerdict: isPartial && view.awaits_verdict === true,
      missing,
      isEarly,
      isUnscored: isPartial,
    }
  })
}

/** Each artifact meets one expectation. */
function missingArtifacts(spec: FleetTaskSpec, receipt: FleetReceipt): string[] {
  const left = receipt.artifacts.map((artifact) => artifact.kind)
  return spec.expected_artifacts.filter((kind) => {
    const at = left.indexOf(kind)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

function isOverBudget({ budget }: FleetTaskSpec, { spent }: FleetReceipt): boolean {
  if (budget === undefined || spent === undefined) return false
  const { max_tokens = Infinity, max_tool_calls = Infinity, max_seconds = Infinity } = budget
  return spent.tokens > max_tokens || spent.tool_calls > max_tool_calls || spent.seconds >= max_seconds
}
