import { steer } from './steer.ts'
import type { Verb } from './verb.ts'
import { runAndRest } from './which-run.ts'
import { withControl } from './with-control.ts'
import { hint } from './hint.ts'

export const restart: Verb = {
  takes: '[RUN] TASK',
  does: 'Enqueues a task again, whatever became of it, with all its attempts before it.',
  least: 1,
  most: 2,
  options: [],
  perform: withControl(async (invocation, control) => {
    const { run, rest } = await runAndRest(control, invocation.words, 2)
    const [task = ''] = rest
    return steer(
      invocation,
      control,
      { kind: 'task.restart', run_id: run, task_id: task },
      `Carry it on with \`${hint(`resume ${run}`, invocation.options)}\`.`,
    )
  }),
}
