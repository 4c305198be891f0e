import { FleetError } from '../index.ts'
import type { SettleVerdict } from '../index.ts'
import { steer } from './steer.ts'
import type { Verb } from './verb.ts'
import { runAndRest } from './which-run.ts'
import { withControl } from './with-control.ts'
import { hint } from './hint.ts'

export const settle: Verb = {
  takes: '[RUN] TASK pass|fail',
  does: 'Gives a person’s verdict on a task whose result is partial, once.',
  least: 2,
  most: 3,
  options: ['by', 'why'],
  perform: withControl(async (invocation, control) => {
    const { words, options, terminal } = invocation
    const result = words.at(-1)
    if (result !== 'pass' && result !== 'fail')
      throw new FleetError('usage', `The verdict must be pass or fail, got ${result ?? 'nothing'}.`)
    const { run, rest } = await runAndRest(control, words, 3)
    const [task = ''] = rest
    const { by = terminal.user(), why } = options
    const verdict: SettleVerdict = { result, by, ...(why !== undefined && { why }) }
    const next = `If something waited for it, carry it on with \`${hint(`resume ${run}`, options)}\`.`
    return steer(
      invocation,
      control,
      { kind: 'task.settle', run_id: run, task_id: task, verdict },
      result === 'pass' ? next : undefined,
    )
  }),
}
