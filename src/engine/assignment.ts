import type { PreparedWorkspace, Workspaces } from '../ports/workspaces.ts'
import { joinSignals } from '../protocol/joined-signal.ts'
import type { FleetReceipt } from '../protocol/receipt.ts'
import type { DependencyResult } from '../protocol/wire.ts'
import { mayAccessSecrets } from '../protocol/security.ts'
import type { Core } from './core.ts'
import { dependencyResults, previousReceipts } from './receipts.ts'
import type { RunState, TaskState } from './state.ts'
import type { Workers } from './workers.ts'

/** What an attempt needs besides its task. */
export interface Assignment {
  readonly prepared: PreparedWorkspace
  /** Receipts of the attempts before, oldest first (RE5). */
  readonly previous: readonly FleetReceipt[]
  readonly dependencies: readonly DependencyResult[]
  /** By key; undefined for none. */
  readonly secrets?: Readonly<Record<string, string>>
}

/** What gathering stands on. `signal` aborts when the fleet closes. */
export interface AssignmentParts {
  readonly core: Core
  readonly workers: Workers
  readonly signal: AbortSignal
}

type Gathered = Assignment | { readonly problems: readonly string[] }

/**
 * Gathers what an attempt needs, or everything that speaks against starting it (WS2, WS3, SE5). A task that asks for nothing, has no
 * dependencies and was never tried waits for nothing either: it gets its assignment at once, without a promise.
 */
export function gatherAssignment(parts: AssignmentParts, run: RunState, task: TaskState): Gathered | Promise<Gathered> {
  const prepared = parts.core.workspaces.prepare(task.spec, run.header.workspace)
  const isAlone = task.receipts.length === 0 && (task.spec.depends_on ?? []).length === 0
  const hasSecrets = (run.header.security_policy?.allowed_secrets.length ?? 0) > 0
  if (prepared instanceof Promise || !isAlone || hasSecrets) return read(parts, run, task, prepared)
  return 'problems' in prepared ? prepared : { prepared, previous: [], dependencies: [] }
}

async function read(
  parts: AssignmentParts,
  run: RunState,
  task: TaskState,
  preparing: ReturnType<Workspaces['prepare']>,
): Promise<Gathered> {
  const { store } = parts.core
  const prepared = await preparing
  if ('problems' in prepared) return prepared
  const previous = await previousReceipts(store, run, task)
  const dependencies = await dependencyResults(store, run, task)
  // Last of all: no value lies about while something else is waited for (SE5).
  const granted = await resolveSecrets(parts, run, task)
  if ('problems' in granted) return granted
  return { prepared, previous, dependencies, ...granted }
}

/** The secrets that the run allows, for a worker that may have them. */
async function resolveSecrets(
  { core, workers, signal }: AssignmentParts,
  run: RunState,
  task: TaskState,
): Promise<Pick<Assignment, 'secrets'> | { readonly problems: readonly string[] }> {
  const refs = run.header.security_policy?.allowed_secrets ?? []
  const level = task.worker === null ? undefined : workers.termsOf(task, task.worker).level
  if (refs.length === 0 || level === undefined || !mayAccessSecrets(level)) return {}
  const limit = new AbortController()
  const disarm = core.deadlines.after(core.defaults.secretTimeoutMs, () => limit.abort())
  using either = joinSignals([limit.signal, signal])
  const outcome = await core.secrets.resolve(refs, { signal: either.signal })
  disarm()
  return 'problems' in outcome ? outcome : { secrets: outcome.values }
}
