import { environmentProblems } from '../workspace/environment.ts'
import { alertProblems } from './alert-acceptance.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetRunSpec } from '../protocol/run-spec.ts'
import type { Steps } from '../protocol/steps.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import type { FleetHostSpec } from '../protocol/host.ts'
import type { FleetWorkerAuth, FleetWorkerSpec } from '../protocol/worker.ts'
import type { Secrets } from '../ports/secrets.ts'
import { grantProblems } from '../security/grants.ts'
import { containerProblems } from './container.ts'
import { secretsRefused } from './secrets-refused.ts'
import { sshProblems } from './ssh.ts'

/** What is refused, where it stands, and why. */
export interface Refusal {
  readonly path: string
  readonly reason: string
}

/** What there is to act on a spec. */
export interface Enforcers {
  readonly secrets: Pick<Secrets, 'unresolvable'>
}

type Check<Subject> = (subject: Subject) => boolean | undefined

/** The ways of a worker to prove who it is that are checked, by the kind of its host (SE7). */
const checkedProofs: { readonly [Kind in FleetHostSpec['kind']]: readonly FleetWorkerAuth['method'][] } = {
  local: ['none', 'token'],
  ssh: ['none', 'ssh_key'],
  docker: ['none'],
}

/**
 * Fields of the contract that have no effect here yet. A field that is accepted has an effect, or is refused with a reason: what is
 * built takes its row out.
 */
const unenforcedOfWorker: readonly (readonly [path: string, Check<FleetWorkerSpec>, reason: string])[] = [
  [
    'auth',
    ({ auth, host }) => auth !== undefined && !checkedProofs[host.kind].includes(auth.method),
    'nobody checks this proof of who the worker is at a host of its kind',
  ],
]

/**
 * In steps: refuses, in one error with what was found before, what a spec asks for and nothing here would enforce: `unenforceable`, or
 * `unsupported_target`.
 */
export function* refusingUnenforceable(run: FleetRunSpec, { secrets }: Enforcers, found: readonly Refusal[]): Steps {
  if (run.target === 'cloud') {
    throw new FleetError(
      'unsupported_target',
      'target: no worker here can be in the cloud. Leave `target` out, or name a computer.',
    )
  }
  const refusals = [
    ...found,
    ...run.worker_specs.flatMap((worker, index) => refusedOfWorker(worker, `worker_specs[${index}].`)),
    ...(yield* refusingTasks(run.tasks)),
    ...(run.security_policy === undefined ? [] : grantProblems(run.security_policy)),
    ...secretsRefused(run, secrets),
    ...tokensRefused(run, secrets),
  ]
  yield* throwingRefusals(refusals)
}

/** Tokens of workers that dial in which nothing here could ever resolve (SE7). */
function tokensRefused(run: FleetRunSpec, secrets: Enforcers['secrets']): Refusal[] {
  return run.worker_specs.flatMap(({ auth }, index) => {
    const reason = auth?.method === 'token' ? secrets.unresolvable(auth.token_ref) : undefined
    return reason === undefined ? [] : [{ path: `worker_specs[${index}].auth.token_ref`, reason }]
  })
}

/** The same for tasks that are added to a run. */
export function* refusingUnenforceableTasks(tasks: readonly FleetTaskSpec[], found: readonly Refusal[]): Steps {
  yield* throwingRefusals([...found, ...(yield* refusingTasks(tasks))])
}

function* refusingTasks(tasks: readonly FleetTaskSpec[]): Steps<readonly Refusal[]> {
  const found: Refusal[] = []
  for (const [index, task] of tasks.entries()) {
    if (index > 0) yield
    const under = `tasks[${index}].`
    if (task.alert_policy !== undefined) {
      for (const { path, reason } of alertProblems(task.alert_policy))
        found.push({ path: `${under}alert_policy.${path}`, reason })
    }
    const { environment } = task.workspace ?? {}
    if (environment !== undefined) {
      for (const problem of environmentProblems(environment))
        found.push({ path: `${under}workspace.environment`, reason: problem })
    }
  }
  return found
}

function refusedOfWorker(worker: FleetWorkerSpec, under: string): Refusal[] {
  const problems = [...sshProblems(worker), ...containerProblems(worker)].map(({ path, reason }) => ({
    path: under + path,
    reason,
  }))
  return [...refused(unenforcedOfWorker, worker, under), ...problems]
}

function refused<Subject>(
  rows: readonly (readonly [string, Check<Subject>, string])[],
  subject: Subject,
  under: string,
): Refusal[] {
  return rows.filter(([, check]) => check(subject) === true).map(([path, , reason]) => ({ path: under + path, reason }))
}

/** In steps: throws `unenforceable` with everything that is refused, unless nothing is. */
export function* throwingRefusals(refusals: readonly Refusal[]): Steps {
  if (refusals.length === 0) return
  const lines: string[] = []
  for (const { path, reason } of refusals) {
    lines.push(`${path}: ${reason}`)
    yield
  }
  throw new FleetError('unenforceable', `What this asks for cannot be enforced here, so it is refused:\n${lines.join('\n')}`, {
    details: { problems: refusals },
  })
}
