import { exitCodeOf, worst } from './exit-code.ts'
import type { Options } from './options.ts'
import type { RunOutcome, TaskOutcome } from './outcome.ts'
import type { Output } from './output.ts'
import { renderOutcome } from './receipts-table.ts'
import { signalExitCodes } from './stopping.ts'
import type { EndSignal, Terminal } from './terminal.ts'
import { hint } from './hint.ts'

/** Tells how runs ended, or how they were left, and gives the exit code. */
export function report(
  outcomes: readonly RunOutcome[],
  parts: {
    readonly output: Output
    readonly terminal: Terminal
    readonly options: Pick<Options, 'strict' | 'folder'>
    readonly stoppedBy: EndSignal | undefined
  },
): number {
  const { output, terminal, options, stoppedBy } = parts
  for (const outcome of outcomes) {
    output.text(...renderOutcome(outcome, { paint: output.paint, width: terminal.live ? terminal.columns() : 120 }))
    for (const line of whatNext(outcome, options, stoppedBy !== undefined)) output.text(line)
  }
  return stoppedBy === undefined ? worst(outcomes.map((outcome) => exitCodeOf(outcome, options))) : signalExitCodes[stoppedBy]
}

/** The end of a run for a program. */
export function outcomeRow({ summary, tasks }: RunOutcome): Record<string, unknown> {
  const { id, ...rest } = summary
  return {
    run_id: id,
    ...rest,
    awaiting: tasks.filter((task) => task.awaitsVerdict).map((task) => task.id),
    tasks: tasks.map(taskRow),
  }
}

function taskRow({ id, status, attempt, receipt, missing }: TaskOutcome): Record<string, unknown> {
  return {
    task_id: id,
    status,
    attempt,
    ...(receipt !== undefined && {
      result: receipt.result,
      failure_kind: receipt.failure_kind,
      score: receipt.score,
      seconds: receipt.spent?.seconds,
    }),
    ...(missing.length > 0 && { missing_artifacts: missing }),
  }
}

/** The commands that take a run further, as they can be typed. */
function whatNext({ summary, tasks }: RunOutcome, { folder }: Pick<Options, 'folder'>, isStopped: boolean): string[] {
  const at = (words: string): string => hint(words, { folder })
  const { id, status } = summary
  if (isStopped && (status === 'queued' || status === 'running' || status === 'paused')) {
    return [`Interrupted. Go on with:`, `  ${at(`resume ${id}`)}`]
  }
  const lines: string[] = []
  const awaiting = tasks.filter((task) => task.awaitsVerdict)
  if (awaiting.length > 0 && status !== 'failed' && status !== 'cancelled') {
    lines.push(
      awaiting.length === 1
        ? 'A verdict is awaited. Give it, pass or fail, with:'
        : 'Verdicts are awaited. Give them, pass or fail, with:',
    )
    for (const task of awaiting) lines.push(`  ${at(`settle ${id} ${task.id} pass`)}`)
    if (status !== 'completed') lines.push('and go on with:', `  ${at(`resume ${id}`)}`)
  }
  const [failed] = tasks.filter((task) => task.status === 'failed')
  if (failed !== undefined) lines.push(`See what it wrote with:`, `  ${at(`logs ${id} ${failed.id}`)}`)
  return lines
}
