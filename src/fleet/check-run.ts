import { createRequirements, mismatches } from '../engine/requirement.ts'
import type { Requirement } from '../engine/requirement.ts'
import type { RunHeader } from '../engine/run-header.ts'
import type { WorkerFacts } from '../engine/worker-facts.ts'
import { systemClock } from '../host/clock.ts'
import { systemEnvironment } from '../host/environment.ts'
import { diskFiles } from '../host/files.ts'
import { FleetError } from '../protocol/errors.ts'
import { FleetRunSpec } from '../protocol/run-spec.ts'
import type { FleetRunSpecInput } from '../protocol/run-spec.ts'
import { allAtOnce } from '../protocol/steps.ts'
import type { Steps } from '../protocol/steps.ts'
import { createScorers } from '../verification/scorers.ts'
import { refusingUnenforceable } from './acceptance.ts'
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
  allAtOnce(refusingUnenforceable(spec, createScorers({ files: diskFiles() })))
  const host = { clock: systemClock(), environment: systemEnvironment() }
  const workers = [
    ...workersOf(options, host).map((plan) => plan.facts),
    ...spec.worker_specs.map((worker) => commandWorkerOf(worker, host).facts),
  ]
  allAtOnce(refusingImpossible(allAtOnce(findingImpossible(spec, workers))))
  return spec
}

/** A task that none of the workers could ever take, and what speaks against each of them. */
export interface ImpossibleTask {
  readonly id: string
  readonly path: string
  readonly reasons: readonly string[]
}

/** In steps: throws `impossible_task`, naming every one of the tasks (SC3). */
export function* refusingImpossible(tasks: readonly ImpossibleTask[]): Steps {
  if (tasks.length === 0) return
  const told: string[] = []
  for (const { path, reasons } of tasks) {
    told.push([`${path}: no worker can take it`, ...reasons.map((reason) => `  ${reason}`)].join('\n'))
    yield
  }
  throw new FleetError('impossible_task', `Some tasks could never run:\n${told.join('\n')}`, { details: { tasks } })
}

/** In steps: the tasks that none of the workers could ever take. */
export function* findingImpossible(
  spec: Pick<RunHeader, 'worker_specs' | 'security_policy' | 'target'> & Pick<FleetRunSpec, 'tasks'>,
  workers: readonly WorkerFacts[],
): Steps<readonly ImpossibleTask[]> {
  const requirements = createRequirements(spec)
  const against = new Map<Requirement, readonly string[]>()
  const impossible: ImpossibleTask[] = []
  for (const [index, task] of spec.tasks.entries()) {
    const requirement = requirements.of(task)
    let reasons = against.get(requirement)
    if (reasons === undefined) against.set(requirement, (reasons = reasonsAgainst(requirement, workers)))
    if (reasons.length > 0) impossible.push({ id: task.id, path: `tasks[${index}] (${task.id})`, reasons })
    yield
  }
  return impossible
}

/** What speaks against every worker; nothing where one could do it. */
function reasonsAgainst(requirement: Requirement, workers: readonly WorkerFacts[]): readonly string[] {
  if (workers.length === 0) return ['no worker is registered']
  const against = workers.map((worker) => ({ id: worker.id, reasons: mismatches(requirement, worker) }))
  if (against.some(({ reasons }) => reasons.length === 0)) return []
  return against.map(({ id, reasons }) => `${id} ${reasons.join(', and ')}`)
}
