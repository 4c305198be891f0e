import { formatDuration } from './duration.ts'
import { reasonOf } from './event-line.ts'
import type { RunOutcome, TaskOutcome } from './outcome.ts'
import type { Paint } from './paint.ts'
import { renderTable } from './table.ts'
import { cut, oneLine, widthOf } from './text-width.ts'

/** Above this many tasks only those that need a look are listed. */
const mostRows = 100

/** The receipts of a run as a table, and lines that sum them up. */
export function renderOutcome(
  outcome: RunOutcome,
  { paint, width }: { readonly paint: Paint; readonly width: number },
): string[] {
  const { tasks } = outcome
  const isLong = tasks.length > mostRows
  const shown = isLong ? tasks.filter((task) => task.receipt?.result !== 'pass').slice(0, mostRows) : tasks
  const table = renderTable(shown, columnsOf(paint), { width, head: paint.dim })
  const more = tasks.length - shown.length
  return [
    '',
    ...(shown.length > 0 ? table : []),
    ...(more > 0 ? [paint.dim(`  and ${more} more; see them all with \`flotilla status ${outcome.summary.id}\``)] : []),
    '',
    ...sumLines(outcome, { paint, width }),
  ]
}

function columnsOf(paint: Paint): Parameters<typeof renderTable<TaskOutcome>>[1] {
  return [
    { title: 'task', cell: (task) => oneLine(task.id), most: 40 },
    {
      title: 'result',
      cell: (task) => `${look(task).mark} ${wordOf(task)}`,
      paint: (text, task) => paint[look(task).tone](text),
    },
    { title: 'attempt', cell: (task) => (task.attempt === 0 ? '' : String(task.attempt)), align: 'right', from: 60 },
    { title: 'score', cell: scoreOf, align: 'right', from: 70 },
    {
      title: 'time',
      cell: (task) =>
        task.receipt?.spent === undefined || task.attempt === 0 ? '' : formatDuration(task.receipt.spent.seconds * 1000),
      align: 'right',
    },
    { title: 'note', cell: noteOf, paint: (text) => paint.dim(text) },
  ]
}

/** How a result looks. */
function look({ status, receipt, awaitsVerdict }: TaskOutcome): { readonly mark: string; readonly tone: keyof Paint } {
  if (awaitsVerdict) return { mark: '?', tone: 'yellow' }
  if (status === 'failed') return { mark: '✗', tone: 'red' }
  if (status === 'cancelled') return { mark: '⊘', tone: 'yellow' }
  if (status !== 'completed') return { mark: '·', tone: 'dim' }
  return receipt?.result === 'partial' ? { mark: '◐', tone: 'yellow' } : { mark: '✓', tone: 'green' }
}

function wordOf({ status, receipt }: TaskOutcome): string {
  return receipt?.result ?? (status === 'blocked' ? 'waiting' : status === 'enqueued' ? 'queued' : status)
}

function scoreOf({ receipt }: TaskOutcome): string {
  const { score } = receipt ?? {}
  if (score === undefined) return ''
  const value = String(Math.round(score.value * 100) / 100)
  return score.max === undefined || score.max === 1 ? value : `${value}/${score.max}`
}

function noteOf(task: TaskOutcome): string {
  const { receipt } = task
  if (task.awaitsVerdict) return 'awaits a person’s verdict'
  if (task.missing.length > 0) return `missing: ${task.missing.join(', ')}`
  if (receipt?.settled !== undefined)
    return oneLine(`settled by ${receipt.settled.by}${receipt.settled.why === undefined ? '' : `: ${receipt.settled.why}`}`)
  if (receipt === undefined || receipt.result === 'pass') return ''
  return `${receipt.failure_kind === undefined || receipt.failure_kind === 'task' ? '' : `${receipt.failure_kind}: `}${reasonOf(receipt)}`
}

function sumLines({ summary, tasks }: RunOutcome, { paint, width }: { readonly paint: Paint; readonly width: number }): string[] {
  const { status } = summary
  const isAwaiting = status === 'running' && tasks.some((task) => task.awaitsVerdict)
  const { mark, tone } = ends[status] ?? { mark: '·', tone: 'yellow' }
  const worked = tasks.reduce((sum, task) => sum + (task.receipt?.spent?.seconds ?? 0), 0) * 1000
  const counters = (['completed', 'partial', 'failed', 'cancelled'] as const).filter(
    (name) => name === 'completed' || summary[name] > 0,
  )
  const parts = [
    ...counters.map((name) =>
      name === 'completed' ? `${summary.completed} of ${tasks.length} completed` : `${summary[name]} ${name}`,
    ),
    `${formatDuration(worked)} worked`,
  ]
  const head = `${mark} ${oneLine(summary.name)} ${isAwaiting ? 'awaits a verdict' : status}`
  return [
    paint[tone](cut(head, width)),
    ...wrapParts(parts, width - 2).map((line) => paint.dim(`  ${line}`)),
    paint.dim(`  ${summary.id}`),
  ]
}

const ends: Readonly<Partial<Record<string, { readonly mark: string; readonly tone: keyof Paint }>>> = {
  completed: { mark: '✓', tone: 'green' },
  failed: { mark: '✗', tone: 'red' },
  cancelled: { mark: '⊘', tone: 'yellow' },
}

function wrapParts(parts: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    const longer = `${last} · ${part}`
    if (last !== undefined && widthOf(longer) <= width) lines[lines.length - 1] = longer
    else lines.push(part)
  }
  return lines
}
