import type { z } from 'zod'
import { checkingDependencies, type DependentTask } from './dependencies.ts'
import { isRecord } from './field.ts'
import { describeFound, quote, type DocumentPath, type DocumentProblem } from './problem.ts'
import { allAtOnce, type Steps } from './steps.ts'

/**
 * A refinement for what no field of a run shows alone: ids that stand twice, dependencies, roles. It also takes runs whose shape has
 * problems, and looks at what is sound in them, so that all problems of a document are told at once (WI6).
 */
export function checkRun(tasksField: string) {
  return refineRun((run) => [
    ...allAtOnce(checkingTasks(run[tasksField], { roles: run['roles'], under: tasksField })),
    ...workerProblems(run),
  ])
}

/** A refinement that reports what it finds in a run, whatever its shape. */
export function refineRun(problemsOf: (run: Loose) => readonly DocumentProblem[]) {
  return (run: unknown, context: z.core.$RefinementCtx): void => {
    if (isRecord(run)) for (const problem of problemsOf(run)) addProblem(context, problem)
  }
}

/** In steps: what is wrong between the tasks of a list, sound or not: their ids, dependencies, roles that the run does not have. */
export function* checkingTasks(
  tasks: unknown,
  {
    knownIds,
    roles,
    under,
  }: { readonly knownIds?: Pick<ReadonlySet<string>, 'has'> | undefined; readonly roles: unknown; readonly under: string },
): Steps<readonly DocumentProblem[]> {
  const records = recordsOf(tasks)
  const dependent: DependentTask[] = []
  for (const record of records) {
    if (dependent.length > 0) yield
    dependent.push(asDependent(record))
  }
  return [...(yield* checkingDependencies(dependent, knownIds, under)), ...(yield* checkingRoles(records, roles, under))]
}

/** Ids of workers that stand twice. */
export function workerProblems(run: Loose): readonly DocumentProblem[] {
  const seen = new Set<string>()
  return recordsOf(run['worker_specs']).flatMap(({ id }, index) => {
    if (typeof id !== 'string') return []
    if (seen.has(id)) return [{ path: ['worker_specs', index, 'id'], expected: 'an id of its own', got: `${quote(id)} again` }]
    seen.add(id)
    return []
  })
}

/** Reports a problem from within a refinement. */
export function addProblem(context: z.core.$RefinementCtx, { path, expected, got }: DocumentProblem): void {
  context.addIssue({ code: 'custom', path: [...path], message: expected, params: { got } })
}

type Loose = Readonly<Record<string, unknown>>

function recordsOf(value: unknown): readonly Loose[] {
  return Array.isArray(value) ? value.map((item: unknown) => (isRecord(item) ? item : {})) : []
}

function asDependent(task: Loose): DependentTask {
  const ids: readonly unknown[] = Array.isArray(task['depends_on']) ? task['depends_on'] : []
  return { id: asText(task['id']), depends_on: ids.map(asText) }
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function* checkingRoles(tasks: readonly Loose[], roles: unknown, tasksField: string): Steps<readonly DocumentProblem[]> {
  const problems: DocumentProblem[] = []
  if (!Array.isArray(roles)) return problems
  const allowed = new Set<unknown>(roles)
  const expected = roles.length === 0 ? 'no role, as the run has none' : `one of the run's roles ${roles.map(String).join(', ')}`
  for (const [index, { worker }] of tasks.entries()) {
    const role = isRecord(worker) ? worker['role'] : undefined
    const path: DocumentPath = [tasksField, index, 'worker', 'role']
    if (typeof role === 'string' && !allowed.has(role)) problems.push({ path, expected, got: describeFound(role, path) })
    yield
  }
  return problems
}
