import { steer } from './steer.ts'
import type { Verb } from './verb.ts'
import { whichRun } from './which-run.ts'
import { withControl } from './with-control.ts'

export const cancel: Verb = {
  takes: '[RUN [TASK]]',
  does: 'Cancels a run, or one task and what depends on it.',
  least: 0,
  most: 2,
  options: ['by', 'why'],
  perform: withControl(async (invocation, control) => {
    const { words, options, terminal } = invocation
    const run = await whichRun(control, words[0])
    const { by = terminal.user(), why: reason } = options
    const asked = { run_id: run, by, ...(reason !== undefined && { reason }) }
    const [, task] = words
    return steer(
      invocation,
      control,
      task === undefined ? { kind: 'run.cancel', ...asked } : { kind: 'task.cancel', task_id: task, ...asked },
    )
  }),
}
