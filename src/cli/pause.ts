import { steer } from './steer.ts'
import type { Verb } from './verb.ts'
import { whichRun } from './which-run.ts'
import { withControl } from './with-control.ts'
import { hint } from './hint.ts'

export const pause: Verb = {
  takes: '[RUN]',
  does: 'Starts nothing new in a run; what runs goes on.',
  least: 0,
  most: 1,
  options: [],
  perform: withControl(async (invocation, control) => {
    const run = await whichRun(control, invocation.words[0])
    return steer(
      invocation,
      control,
      { kind: 'run.pause', run_id: run },
      `Go on with \`${hint(`resume ${run}`, invocation.options)}\`.`,
    )
  }),
}
