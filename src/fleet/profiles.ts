import { builtInProfiles, builtInRoles } from '../security/built-in-profiles.ts'
import { mergeProfile } from '../security/merge-profile.ts'
import type { Known, MergeProblem, MergeRun, ProfileTables } from '../security/profile-layers.ts'
import { isToken, reservedId } from '../protocol/ids.ts'
import { formatPath } from '../protocol/problem.ts'
import { AgentProfile, RolePreset } from '../protocol/profile.ts'
import type { AgentProfileInput, RolePresetInput } from '../protocol/profile.ts'
import type { Contract } from '../protocol/codec.ts'
import type { Steps } from '../protocol/steps.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import type { Refusal } from './acceptance.ts'

/** Agent profiles and role presets by name. */
export interface ProfileOptions {
  /**
   * Agents by name, for tasks with `worker.agent_profile`. Besides them there are `smoke-runner`, `reviewer`, `builder` and `read-only`; one
   * of the same name takes its place.
   */
  readonly profiles?: Readonly<Record<string, AgentProfileInput>>
  /** What tasks of a role get that say nothing else. Built in, and replaced, as with `profiles`. */
  readonly roles?: Readonly<Record<string, RolePresetInput>>
}

/** Everything that is wrong with profiles and presets, a line each. */
export function profileProblems({ profiles, roles }: ProfileOptions): readonly string[] {
  return [...problemsIn('profiles', profiles, AgentProfile), ...problemsIn('roles', roles, RolePreset)]
}

function problemsIn(under: string, table: unknown, contract: Contract<unknown>): string[] {
  if (table === undefined) return []
  if (typeof table !== 'object' || table === null || Array.isArray(table)) return [`${under}: expected an object by name`]
  return Object.entries(table).flatMap(([name, definition]: [string, unknown]) => {
    if (!isToken(name) || name === reservedId) return [`${under}[${JSON.stringify(name)}]: this can be no name`]
    const reading = contract.read(definition)
    if (reading.ok) return []
    return reading.problems.map(
      ({ path, expected, got }) => `${formatPath([under, name, ...path])}: expected ${expected}, got ${got}`,
    )
  })
}

/**
 * The built-in profiles and presets, and those of the application; `profileProblems` found nothing wrong with them. The built-in ones are
 * read when they are first asked for: most fleets never do.
 */
export function profileTables({ profiles = {}, roles = {} }: ProfileOptions): ProfileTables {
  const own = { profiles: tableOf('fleet', profiles, AgentProfile), roles: tableOf('fleet', roles, RolePreset) }
  let all: ProfileTables | undefined
  const tables = () =>
    (all ??= {
      profiles: new Map([...tableOf('built-in', builtInProfiles, AgentProfile), ...own.profiles]),
      roles: new Map([...tableOf('built-in', builtInRoles, RolePreset), ...own.roles]),
    })
  return {
    get profiles() {
      return tables().profiles
    },
    get roles() {
      return tables().roles
    },
  }
}

function tableOf<Input, Definition>(
  origin: string,
  table: Readonly<Record<string, Input>>,
  contract: Contract<Definition, Input>,
): [string, Known<Definition>][] {
  return Object.entries(table).map(([name, definition]) => [name, { origin, definition: contract.parse(definition) }])
}

/** Tasks as they will be stored, and what of them is refused. */
export interface Merging {
  readonly tasks: readonly FleetTaskSpec[]
  readonly refusals: readonly Refusal[]
}

/**
 * In steps: merges profiles and presets under the tasks' own fields, for good: what is stored is what applied, whatever profiles a later
 * fleet has. The tasks themselves where nothing is asked of a worker.
 */
export function* mergingProfiles(tasks: readonly FleetTaskSpec[], run: MergeRun, tables: ProfileTables): Steps<Merging> {
  if (run.worker_defaults === undefined && !tasks.some(({ worker }) => worker !== undefined)) return { tasks, refusals: [] }
  const merged: FleetTaskSpec[] = []
  const refusals = new Map<string, Refusal>()
  for (const [index, task] of tasks.entries()) {
    if (task.worker === undefined && run.worker_defaults === undefined) {
      merged.push(task)
      continue
    }
    const outcome = mergeProfile(task, run, tables)
    if ('problems' in outcome) for (const problem of outcome.problems) keep(refusals, refusalOf(problem, index))
    else merged.push(withMerged(task, outcome.task))
    yield
  }
  return { tasks: merged, refusals: [...refusals.values()] }
}

/** What the run itself asks for is told once, and not for each of its tasks. */
function keep(refusals: Map<string, Refusal>, refusal: Refusal): void {
  refusals.set(`${refusal.path} ${refusal.reason}`, refusal)
}

function refusalOf({ of, field, reason }: MergeProblem, index: number): Refusal {
  return { path: of === 'run' ? field : `tasks[${index}].${field}`, reason }
}

function withMerged(task: FleetTaskSpec, { worker, timeout_seconds }: Pick<FleetTaskSpec, 'worker' | 'timeout_seconds'>) {
  if (worker === task.worker) return task
  return { ...task, worker, ...(timeout_seconds !== undefined && { timeout_seconds }) }
}
