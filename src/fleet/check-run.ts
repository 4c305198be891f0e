import { createRequirements, misfits, unenforceable } from '../engine/requirement.ts'
import type { Requirement } from '../engine/requirement.ts'
import type { RunHeader } from '../engine/run-header.ts'
import type { WorkerFacts } from '../engine/worker-facts.ts'
import { systemClock } from '../host/clock.ts'
import { systemEnvironment } from '../host/environment.ts'
import { FleetError } from '../protocol/errors.ts'
import { FleetRunSpec } from '../protocol/run-spec.ts'
import type { FleetRunSpecInput } from '../protocol/run-spec.ts'
import { allAtOnce } from '../protocol/steps.ts'
import type { Steps } from '../protocol/steps.ts'
import { refusingUnenforceable, throwingRefusals } from './acceptance.ts'
import type { Refusal } from './acceptance.ts'
import { checkOptions } from './check-options.ts'
import { containerPorts, runtimeProblems } from './container.ts'
import type { FleetOptions } from './options.ts'
import { mergingProfiles, profileTables } from './profiles.ts'
import { secretsOf } from './secrets-of.ts'
import { workerOfSpec } from './spec-workers.ts'
import { workersOf } from './workers-of.ts'

/** What a run is checked against. */
export type CheckOptions = Pick<
  FleetOptions,
  'handlers' | 'workers' | 'slots' | 'secrets' | 'profiles' | 'roles' | 'containers'
> & {
  /** True: the tasks are read from a run that exists, so what was merged into them stands, whatever profiles there are now. Default false. */
  readonly asStored?: boolean
}

/**
 * Checks a run against the workers that a fleet of these options would have, without opening anything: throws what `fleet.create` with
 * `impossible: 'refuse'` would throw of the spec itself (`invalid_document`, `unenforceable`, `unsupported_target`, `impossible_task`),
 * and `invalid_document` for paths that climb out of the workspace, which a fleet finds when it comes to their task (WS1). Gives the
 * canonical spec.
 */
export function checkRun(input: FleetRunSpecInput, options: CheckOptions = {}): FleetRunSpec {
  const spec = FleetRunSpec.parse(input)
  checkOptions(options)
  const { tasks, refusals } =
    options.asStored === true
      ? { tasks: spec.tasks, refusals: [] }
      : allAtOnce(mergingProfiles(spec.tasks, spec, profileTables(options)))
  allAtOnce(refusingUnenforceable(spec, { secrets: secretsOf(options) }, refusals))
  const environment = systemEnvironment()
  const host = { clock: systemClock(), environment, containers: containerPorts(options.containers ?? {}, environment) }
  allAtOnce(throwingRefusals(runtimeProblems(spec.worker_specs, host)))
  const workers = [
    ...workersOf(options, host).map((plan) => plan.facts),
    ...spec.worker_specs.map((worker) => workerOfSpec(worker, host).facts),
  ]
  const impossible = allAtOnce(findingImpossible({ ...spec, tasks }, workers))
  refuseUnenforced(spec, impossible)
  allAtOnce(refusingImpossible(impossible))
  return spec
}

/** A task that none of the workers could ever take, and what speaks against each of them. */
export interface ImpossibleTask {
  readonly id: string
  readonly path: string
  readonly reasons: readonly string[]
  /** A worker that would fit, if only it could enforce what the task needs, with the reason; undefined when none would fit anyway. */
  readonly unenforced: { readonly worker: string; readonly reason: string } | undefined
  /** The field that asks for the level `sandbox`, where the task, its profile or its role does. */
  readonly asks?: string
}

/**
 * Throws `unenforceable` when a task could never be run because nobody can enforce what it needs (SE2): none of the workers that the run
 * brings, or, where the run itself asks for the level, none of the fleet's. Other tasks wait for a worker that can. It names the field that
 * asks for the level, once for all of its tasks.
 */
export function refuseUnenforced(
  spec: Pick<RunHeader, 'worker_specs' | 'security_policy'>,
  tasks: readonly ImpossibleTask[],
): void {
  const refusals = new Map<string, Refusal>()
  for (const { unenforced, asks } of tasks) {
    if (unenforced === undefined) continue
    const { worker, reason } = unenforced
    const place = spec.worker_specs.findIndex(({ id }) => id === worker)
    const isCut = spec.security_policy?.max_trust_level === 'sandbox'
    const path = isCut ? 'security_policy.max_trust_level' : (asks ?? `worker_specs[${place}].trust_level`)
    if ((isCut || place >= 0 || asks !== undefined) && !refusals.has(path))
      refusals.set(path, { path, reason: `${worker} ${reason}` })
  }
  allAtOnce(throwingRefusals([...refusals.values()]))
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
  const against = new Map<Requirement, Against>()
  const impossible: ImpossibleTask[] = []
  for (const [index, task] of spec.tasks.entries()) {
    const requirement = requirements.of(task)
    let found = against.get(requirement)
    if (found === undefined) against.set(requirement, (found = findAgainst(requirement, workers)))
    if (found.reasons.length > 0) {
      const asks = askingSandbox(task, `tasks[${index}].worker`)
      impossible.push({ id: task.id, path: `tasks[${index}] (${task.id})`, ...found, ...(asks !== undefined && { asks }) })
    }
    yield
  }
  return impossible
}

/** The field that brought the level `sandbox` into a task; undefined where it has none of its own. */
function askingSandbox({ worker }: FleetRunSpec['tasks'][number], under: string): string | undefined {
  if (worker?.trust_level !== 'sandbox') return undefined
  const source = worker.resolution?.sources['trust_level'] ?? 'task.trust_level'
  const { agent_profile, role } = worker.resolution?.sources ?? {}
  if (source.startsWith('task.')) return `${under}.trust_level`
  if (source.startsWith('run.')) return 'worker_defaults.trust_level'
  const brought =
    source.startsWith('role_preset.') && role !== 'agent_profile.role' ? ['role', role] : ['agent_profile', agent_profile]
  return brought[1]?.startsWith('run.') === true ? `worker_defaults.${brought[0]}` : `${under}.${brought[0]}`
}

type Against = Pick<ImpossibleTask, 'reasons' | 'unenforced'>

/** What speaks against every worker; nothing where one could do it. */
function findAgainst(requirement: Requirement, workers: readonly WorkerFacts[]): Against {
  if (workers.length === 0) return { reasons: ['no worker is registered'], unenforced: undefined }
  const reasons: string[] = []
  let unenforced: ImpossibleTask['unenforced']
  for (const worker of workers) {
    const unfit = misfits(requirement, worker)
    const lacking = unenforceable(requirement, worker)
    if (unfit.length + lacking.length === 0) return { reasons: [], unenforced: undefined }
    if (unfit.length === 0) unenforced ??= { worker: worker.id, reason: lacking.join(', and ') }
    reasons.push(`${worker.id} ${[...unfit, ...lacking].join(', and ')}`)
  }
  return { reasons, unenforced }
}
