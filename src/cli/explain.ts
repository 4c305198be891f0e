import { FleetError } from '../index.ts'
import type { Control, Explanation, TaskView } from '../index.ts'
import type { Output } from './output.ts'
import { paintStatus } from './paint.ts'
import type { Paint } from './paint.ts'
import { refuseBoth } from './tag-or-task.ts'
import type { Verb } from './verb.ts'
import { runAndRest, whichRun } from './which-run.ts'
import { withControl } from './with-control.ts'

export const explain: Verb = {
  takes: '[RUN] [TASK]',
  does: 'Tells why a task is not running, or why those with a tag are not.',
  least: 0,
  most: 2,
  options: ['tag'],
  perform: withControl(async ({ words, options, output }, control) => {
    const { tags } = options
    if (tags !== undefined) return explainTagged(control, words, tags, output)
    if (words.length === 0)
      throw new FleetError('usage', 'Name the task, as in `flotilla explain TASK`, or tags of tasks with --tag.')
    const { run, rest } = await runAndRest(control, words, 2)
    const [task = ''] = rest
    const reader = control.run(run)
    const explanation = await reader.explain(task)
    const view = await reader.task(task)
    output.text(...explanationLines(explanation, output.paint))
    if (explanation.waits.length === 0) output.text(`  ${reasonOf(view, run)}`)
    output.row({ run_id: run, ...explanation })
    output.summary({
      run_id: run,
      task_id: task,
      status: explanation.status,
      waits_for: explanation.waits.map((wait) => wait.for),
    })
    return 0
  }),
}

async function explainTagged(
  control: Control,
  words: readonly string[],
  tags: readonly string[],
  output: Output,
): Promise<number> {
  refuseBoth(words[1])
  const run = await whichRun(control, words[0])
  const open = await control.run(run).explainAll({ tags })
  for (const explanation of open) {
    output.text(...explanationLines(explanation, output.paint))
    output.row({ run_id: run, ...explanation })
  }
  if (open.length === 0) output.text(`No open task of the run ${run} has one of the tags ${tags.join(', ')}.`)
  output.summary({ run_id: run, tasks: open.length })
  return 0
}

/** What an explanation says, a line each. */
export function explanationLines({ task_id, status, waits, workers }: Explanation, paint: Paint): string[] {
  return [
    `${paint.bold(task_id)} is ${paintStatus(paint, status, status)}.`,
    ...waits.map(({ message }) => `  ${message}`),
    ...workers.map(
      ({ id, status: is, against }) => `  ${id} (${is}) ${against.length === 0 ? 'may take it' : against.join(', and ')}`,
    ),
  ]
}

function reasonOf({ id, status, worker, cause = '', depends_on }: TaskView, run: string): string {
  if (status === 'enqueued') return 'It is about to be leased.'
  if (status === 'completed' || status === 'failed' || status === 'cancelled') {
    const why = depends_on.includes(cause) ? `, because ${cause} did not complete` : ''
    return `It has ended${why}. \`flotilla restart ${run} ${id}\` enqueues it again.`
  }
  return worker === undefined ? 'Nothing holds it up.' : `Nothing holds it up: ${worker} has it.`
}
