import { FleetError } from '../index.ts'
import type { Verb } from './verb.ts'
import { runAndRest } from './which-run.ts'
import { withControl } from './with-control.ts'

export const logs: Verb = {
  takes: '[RUN] TASK',
  does: 'Prints what an attempt wrote; while it runs, what it wrote so far.',
  least: 1,
  most: 2,
  options: ['attempt'],
  perform: withControl(async ({ words, options, output, terminal }, control) => {
    const { run, rest } = await runAndRest(control, words, 2)
    const [task = ''] = rest
    const reader = control.run(run)
    const { attempt: latest } = await reader.task(task)
    const { attempt = latest } = options
    if (attempt > latest) {
      throw new FleetError(
        'usage',
        `The task ${task} has had ${latest === 0 ? 'no attempt' : `${latest} attempt(s)`} so far, not ${attempt}.`,
        { details: { latest } },
      )
    }
    const log = await reader.log(task, { attempt })
    if (log === undefined)
      output.note(latest === 0 ? `The task ${task} has not been attempted yet.` : `Attempt ${attempt} of ${task} wrote nothing.`)
    else if (output.json) for (const line of linesOf(log.bytes)) output.row({ line })
    else terminal.out(log.bytes)
    output.summary({ run_id: run, task_id: task, attempt, ended: log?.ended ?? true, size_bytes: log?.bytes.length ?? 0 })
    return 0
  }),
}

function linesOf(bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}
