import type { Control } from '../index.ts'
import { isTerminalRunStatus } from '../protocol/index.ts'
import { formatClock, formatDuration } from './duration.ts'
import { outcomeRow } from './report.ts'
import { readOutcome } from './outcome.ts'
import type { TaskOutcome } from './outcome.ts'
import type { Output } from './output.ts'
import { paintStatus } from './paint.ts'
import { renderTable } from './table.ts'
import { oneLine } from './text-width.ts'
import type { Invocation, Verb } from './verb.ts'
import { whichRun } from './which-run.ts'
import { withControl } from './with-control.ts'

export const status: Verb = {
  takes: '[RUN]',
  does: 'Tells how a run stands, or all that have not ended, and who has the store.',
  least: 0,
  most: 1,
  options: [],
  perform: withControl(async (invocation, control) => {
    const [named] = invocation.words
    return named === undefined
      ? statusOfAll(invocation, control)
      : statusOfRun(invocation, control, await whichRun(control, named))
  }),
}

async function statusOfAll({ output, options }: Invocation, control: Control): Promise<number> {
  const owner = await liveOwner(control)
  const open = (await control.runs()).filter((row) => !isTerminalRunStatus(row.status))
  const { workers: _, ...counters } = await control.summary()
  if (counters.runs === 0) output.text(`There are no runs in ${options.folder}.`)
  for (const { id } of open) {
    const { workers: __, ...run } = await control.run(id).summary()
    const { id: run_id, ...rest } = run
    output.row({ run_id, ...rest })
    output.text(
      `${paintStatus(output.paint, run.status, run.status)}  ${output.paint.bold(oneLine(run.name))}  ${countersLine(run)}  ${output.paint.dim(run_id)}`,
    )
  }
  if (counters.runs > 0) {
    output.text(
      `${open.length > 0 ? '\n' : ''}${counters.runs} ${counters.runs === 1 ? 'run' : 'runs'}, ${open.length} not ended; tasks: ${countersLine(counters)}`,
    )
    tellOwner(output, owner)
  }
  output.summary({ ...counters, ...(owner !== undefined && { owner }) })
  return 0
}

async function statusOfRun({ output, terminal }: Invocation, control: Control, run: string): Promise<number> {
  const owner = await liveOwner(control)
  const { summary, tasks } = await readOutcome(control, run)
  const views = new Map((await control.run(run).tasks()).map((view) => [view.id, view]))
  const { paint } = output
  const now = terminal.now()
  const timeOf = ({ id, receipt }: TaskOutcome): string => {
    const view = views.get(id)
    if (view?.status === 'backoff' && view.not_before !== undefined) return `at ${formatClock(view.not_before)}`
    if (view?.ended_at === undefined && view?.leased_at !== undefined && view.status !== 'enqueued')
      return formatDuration(now - Date.parse(view.leased_at))
    return receipt?.spent === undefined || receipt.attempt === undefined ? '' : formatDuration(receipt.spent.seconds * 1000)
  }
  const waitsFor = ({ id, awaitsVerdict }: TaskOutcome): string => {
    const view = views.get(id)
    if (awaitsVerdict) return 'awaits a person’s verdict'
    if (view?.status === 'blocked') return `after ${view.depends_on.join(', ')}`
    return view?.worker === undefined || view.status === 'enqueued' ? '' : `on ${view.worker}`
  }
  output.text(
    `${paintStatus(paint, summary.status, summary.status)}  ${paint.bold(oneLine(summary.name))}  ${countersLine(summary)}  ${paint.dim(run)}`,
    '',
    ...renderTable(
      tasks,
      [
        { title: 'task', cell: (task) => task.id, most: 40 },
        { title: 'status', cell: (task) => task.status, paint: (text, task) => paintStatus(paint, task.status, text) },
        { title: 'result', cell: (task) => task.receipt?.result ?? '' },
        { title: 'attempt', cell: (task) => (task.attempt === 0 ? '' : String(task.attempt)), align: 'right', from: 60 },
        { title: 'time', cell: timeOf, align: 'right' },
        { title: 'note', cell: waitsFor, paint: paint.dim },
      ],
      { width: terminal.live ? terminal.columns() : 120, head: paint.dim },
    ),
    '',
  )
  tellOwner(output, owner)
  for (const view of views.values()) output.row(taskRow(view))
  const { tasks: _, ...rest } = outcomeRow({ summary, tasks })
  output.summary({ ...rest, ...(owner !== undefined && { owner }) })
  return 0
}

function taskRow({ id, ...view }: { readonly id: string }): Record<string, unknown> {
  return { task_id: id, ...view }
}

function countersLine(
  counters: Readonly<Record<'queued' | 'running' | 'completed' | 'partial' | 'failed' | 'cancelled', number>>,
): string {
  const parts = (['running', 'queued', 'completed', 'partial', 'failed', 'cancelled'] as const)
    .filter((name) => counters[name] > 0)
    .map((name) => `${counters[name]} ${name}`)
  return parts.join(' · ') || 'nothing'
}

async function liveOwner(control: Control): Promise<{ pid: number; host: string } | undefined> {
  const owner = await control.owner()
  return owner === undefined || owner.alive === false ? undefined : { pid: owner.pid, host: owner.host }
}

function tellOwner(output: Output, owner: { readonly pid: number; readonly host: string } | undefined): void {
  output.text(
    output.paint.dim(
      owner === undefined ? 'No process works in this store.' : `The process ${owner.pid} on ${owner.host} works in this store.`,
    ),
  )
}
