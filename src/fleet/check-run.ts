import { mismatches, requirementOf } from '../engine/requirement.ts'
import type { RunHeader } from '../engine/run-header.ts'
import type { WorkerFacts } from '../engine/worker-facts.ts'
import { systemClock } from '../host/clock.ts'
import { systemEnvironment } from '../host/environment.ts'
import { diskFiles } from '../host/files.ts'
import { FleetError } from '../protocol/errors.ts'
import { FleetRunSpec } from '../protocol/run-spec.ts'
import type { FleetRunSpecInput } from '../protocol/run-spec.ts'
import { createScorers } from '../verification/scorers.ts'
import { refuseUnenforceable } from './acceptance.ts'
import type { FleetOptions } from './options.ts'
import { commandWorkerOf, workersOf } from './workers-of.ts'

/**
 * Checks a run against the workers that a fleet of these options would have, without opening anything: throws what `fleet.create` with
 * `impossible: 'refuse'` would throw of the spec itself (`invalid_document`, `unenforceable`, `unsupported_target`, `impossible_task`),
 * and `invalid_document` for paths that climb out of the workspace, which a fleet finds when it comes to their task (WS1). Gives the
 * canonical spec.
 */
export function checkRun(
  input: FleetRunSpecInput,
  options: Pick<FleetOptions, 'handlers' | 'workers' | 'slots'> = {},
): FleetRunSpec {
  const spec = FleetRunSpec.parse(input)
  refuseUnenforceable(spec, createScorers({ files: diskFiles() }))
  const host = { clock: systemClock(), environment: systemEnvironment() }
  const workers = [
    ...workersOf(options, host).map((plan) => plan.facts),
    ...spec.worker_specs.map((worker) => commandWorkerOf(worker, host).facts),
  ]
  refuseImpossible(spec, workers)
  return spec
}

/** Throws `impossible_task`, naming every task that none of the workers could ever take, with what speaks against each (SC3). */
export function refuseImpossible(spec: FleetRunSpec, workers: readonly WorkerFacts[]): void {
  const tasks = impossibleTasks(spec, workers)
  if (tasks.length === 0) return
  const told = tasks.map(({ path, reasons }) =>
    [`${path}: no worker can take it`, ...reasons.map((reason) => `  ${reason}`)].join('\n'),
  )
  throw new FleetError('impossible_task', `Some tasks could never run:\n${told.join('\n')}`, { details: { tasks } })
}

/** The tasks that none of the workers could ever take. */
export function impossibleTasks(
  spec: Pick<RunHeader, 'worker_specs' | 'security_policy' | 'target'> & Pick<FleetRunSpec, 'tasks'>,
  workers: readonly WorkerFacts[],
): { readonly id: string; readonly path: string; readonly reasons: readonly string[] }[] {
  return spec.tasks.flatMap((task, index) => {
    const requirement = requirementOf(task, spec)
    const against = workers.map((worker) => ({ id: worker.id, reasons: mismatches(requirement, worker) }))
    if (against.some(({ reasons }) => reasons.length === 0)) return []
    const reasons =
      workers.length === 0 ? ['no worker is registered'] : against.map(({ id, reasons }) => `${id} ${reasons.join(', and ')}`)
    return [{ id: task.id, path: `tasks[${index}] (${task.id})`, reasons }]
  })
}
