import { FleetError } from '../index.ts'
import type { AlertView, Control, FleetReceipt, TaskView } from '../index.ts'
import type { FleetRun } from '../protocol/index.ts'
import { formatBytes, formatDuration, formatInstant } from './duration.ts'
import { explanationLines } from './explain.ts'
import { paintStatus } from './paint.ts'
import { oneLine, withoutControls } from './text-width.ts'
import type { Invocation, Verb } from './verb.ts'
import { runAndRest } from './which-run.ts'
import { withControl } from './with-control.ts'

export const inspect: Verb = {
  takes: '[RUN] TASK|WORKER',
  does: 'Shows all that is known of a task, or of a worker in a run.',
  least: 1,
  most: 2,
  options: [],
  perform: withControl(async (invocation, control) => {
    const { run, rest } = await runAndRest(control, invocation.words, 2)
    const [name = ''] = rest
    const spec = await control.run(run).spec()
    const views = await control.run(run).tasks()
    const view = views.find((task) => task.id === name)
    return view === undefined ? inspectWorker(invocation, spec, views, name) : inspectTask(invocation, control, spec, view)
  }),
}

async function inspectTask({ output }: Invocation, control: Control, run: FleetRun, view: TaskView): Promise<number> {
  const reader = control.run(run.id)
  const spec = run.task_specs.find((task) => task.id === view.id)
  const receipts = await reader.receipts(view.id)
  const artifacts = await reader.artifacts(view.id)
  const explanation = await reader.explain(view.id)
  const { paint } = output
  const command: unknown = spec?.metadata['command']
  output.text(
    ...explanationLines(explanation, paint),
    '',
    ...facts([
      ['name', view.name],
      ['run', `${run.id} (${run.status})`],
      ['instructions', spec?.instructions],
      ['command', Array.isArray(command) ? command.join(' ') : undefined],
      ['handler', spec?.handler],
      ['after', view.depends_on.join(', ')],
      ['scorer', spec?.scorer?.kind],
      ['attempt', view.attempt === 0 ? undefined : String(view.attempt)],
      ['worker', view.worker],
      ['started', view.leased_at === undefined ? undefined : formatInstant(view.leased_at)],
      ['ended', view.ended_at === undefined ? undefined : formatInstant(view.ended_at)],
    ]).map(([title, text]) => `  ${paint.dim(title)}  ${text}`),
  )
  if (view.alerts !== undefined) output.text('', paint.bold('alerts'), ...view.alerts.map(alertLine))
  if (receipts.length > 0) output.text('', paint.bold('receipts'), ...receipts.flatMap((receipt) => receiptLines(receipt)))
  if (artifacts.length > 0) {
    output.text('', paint.bold('artifacts'))
    for (const { attempt, artifact } of artifacts) {
      const size = artifact.size_bytes === undefined ? '' : `  ${formatBytes(artifact.size_bytes)}`
      output.text(`  #${attempt}  ${oneLine(artifact.kind)}  ${oneLine(artifact.path)}${size}`)
    }
  }
  const { id, ...rest } = view
  output.row({ run_id: run.id, task_id: id, ...rest, spec, receipts, artifacts, explanation })
  output.summary({ run_id: run.id, task_id: id, status: view.status, receipts: receipts.length, artifacts: artifacts.length })
  return 0
}

function inspectWorker({ output }: Invocation, run: FleetRun, views: readonly TaskView[], worker: string): number {
  const spec = run.worker_specs.find((one) => one.id === worker)
  const tasks = views.filter((task) => task.worker === worker)
  if (spec === undefined && tasks.length === 0) {
    throw new FleetError(
      'unknown_task',
      `The run ${run.id} has no task and no worker ${worker}. See \`flotilla status ${run.id}\`.`,
      { details: { run_id: run.id, task_id: worker } },
    )
  }
  const { paint } = output
  output.text(`${paint.bold(worker)} is a worker of ${run.id}.`)
  if (spec !== undefined) {
    const given = facts([
      ['name', spec.name],
      ['host', spec.host.kind],
      ['trust', spec.trust_level],
      ['capabilities', spec.capabilities.join(', ')],
      ['slots', String(spec.max_concurrent_tasks ?? 1)],
    ])
    output.text(...given.map(([title, text]) => `  ${paint.dim(title)}  ${text}`))
  }
  if (tasks.length > 0) output.text('', paint.bold('tasks that it had last'))
  for (const task of tasks)
    output.text(`  ${paintStatus(paint, task.status, task.status)}  ${task.id}  ${paint.dim(`#${task.attempt}`)}`)
  output.row({ run_id: run.id, worker_id: worker, spec, tasks: tasks.map(({ id, ...rest }) => ({ task_id: id, ...rest })) })
  output.summary({ run_id: run.id, worker_id: worker, tasks: tasks.length })
  return 0
}

/** Titles of one width, without what is not there. */
function facts(all: readonly (readonly [string, string | undefined])[]): [string, string][] {
  const there = all.flatMap(([title, text]): [string, string][] =>
    text === undefined || text === '' ? [] : [[title, oneLine(text)]],
  )
  const width = Math.max(...there.map(([title]) => title.length))
  return there.map(([title, text]) => [title.padEnd(width), text])
}

const alertStandings: { readonly [Status in AlertView['status']]: string } = {
  held: 'held back',
  owed: 'to be delivered',
  sent: 'delivered',
  given_up: 'given up',
}

function alertLine({ attempt, class: name, channel, status, action, tries, error, not_before }: AlertView): string {
  const parts = [
    `#${attempt}`,
    action === 'trigger' ? name : `${name} is over`,
    `through ${channel}`,
    alertStandings[status],
    ...(not_before === undefined ? [] : [`not before ${formatInstant(not_before)}`]),
    ...(tries === 0 ? [] : [`${tries} failed, the last: ${oneLine(error ?? '')}`]),
  ]
  return `  ${parts.join('  ')}`
}

function receiptLines(receipt: FleetReceipt): string[] {
  const parts = [
    `#${receipt.attempt ?? 0}`,
    receipt.result + (receipt.failure_kind === undefined ? '' : ` (${receipt.failure_kind})`),
    ...(receipt.score === undefined ? [] : [`score ${receipt.score.value}`]),
    ...(receipt.spent === undefined ? [] : [formatDuration(receipt.spent.seconds * 1000)]),
    `by ${receipt.settled?.by ?? receipt.worker_id}`,
  ]
  const evidence = withoutControls(receipt.evidence ?? '').trimEnd()
  return [`  ${parts.join('  ')}`, ...(evidence === '' ? [] : evidence.split('\n').map((line) => `      ${line}`))]
}
