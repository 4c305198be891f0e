import { steer } from './steer.ts'
import { refuseBoth } from './tag-or-task.ts'
import type { Verb } from './verb.ts'
import { whichRun } from './which-run.ts'
import { withControl } from './with-control.ts'

export const cancel: Verb = {
  takes: '[RUN [TASK]]',
  does: 'Cancels a run, or tasks by name or tag and what depends on them.',
  least: 0,
  most: 2,
  options: ['tag', 'by', 'why'],
  perform: withControl(async (invocation, control) => {
    const { words, options, terminal } = invocation
    const { tags } = options
    if (tags !== undefined) refuseBoth(words[1])
    const run = await whichRun(control, words[0])
    const { by = terminal.user(), why: reason } = options
    const asked = { run_id: run, by, ...(reason !== undefined && { reason }) }
    const [, task] = words
    if (tags !== undefined) return steer(invocation, control, { kind: 'tasks.cancel', tags, ...asked })
    return steer(
      invocation,
      control,
      task === undefined ? { kind: 'run.cancel', ...asked } : { kind: 'task.cancel', task_id: task, ...asked },
    )
  }),
}
