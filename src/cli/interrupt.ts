import { FleetError } from '../index.ts'
import type { Control } from '../index.ts'
import { isTerminalRunStatus } from '../protocol/index.ts'
import type { Verb } from './verb.ts'
import { withControl } from './with-control.ts'

export const interrupt: Verb = {
  takes: 'WORKER',
  does: 'Cancels what a worker is doing now.',
  least: 1,
  most: 1,
  options: ['by', 'why'],
  perform: withControl(async ({ words, options, output, terminal }, control) => {
    const [worker = ''] = words
    const { by = terminal.user(), why: reason = `the worker ${worker} was interrupted` } = options
    const held = await heldBy(control, worker)
    let cancelled = 0
    for (const { run_id, task_id, attempt } of held) {
      // Only the attempt that was seen is meant: the worker may have gone on to another.
      const { changed, message } = await control
        .perform({ kind: 'task.cancel', run_id, task_id, attempt, by, reason })
        .catch((error: unknown) => {
          if (FleetError.is(error, 'refused')) return { changed: false, message: error.message }
          throw error
        })
      if (changed) cancelled += 1
      output.text(message)
      output.row({ run_id, task_id, attempt, changed, message })
    }
    if (held.length === 0) output.text(`The worker ${worker} does nothing at the moment.`)
    output.summary({ worker_id: worker, cancelled })
    return 0
  }),
}

/** The attempts that a worker holds. Throws `unknown_worker` when no run that is open knows the worker. */
async function heldBy(control: Control, worker: string): Promise<{ run_id: string; task_id: string; attempt: number }[]> {
  const held = []
  let isKnown = false
  for (const row of await control.runs()) {
    if (isTerminalRunStatus(row.status)) continue
    const run = control.run(row.id)
    if ((await run.spec()).worker_specs.some((spec) => spec.id === worker)) isKnown = true
    for (const task of await run.tasks()) {
      if (task.worker !== worker) continue
      isKnown = true
      const isHeld = task.status === 'starting' || task.status === 'running'
      if (isHeld) held.push({ run_id: row.id, task_id: task.id, attempt: task.attempt })
    }
  }
  if (!isKnown)
    throw new FleetError('unknown_worker', `No run that is open has had a worker ${worker}. See \`flotilla status RUN\`.`, {
      details: { worker_id: worker },
    })
  return held
}
