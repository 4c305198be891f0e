import type { z } from 'zod'
import { dependencyProblems, type DependentTask } from './dependencies.ts'
import { isRecord } from './field.ts'
import { describeFound, quote, type DocumentPath, type DocumentProblem } from './problem.ts'

/**
 * A refinement for what no field of a run shows alone: ids that stand twice, dependencies, roles. It also takes runs whose shape has
 * problems, and looks at what is sound in them, so that all problems of a document are told at once (WI6).
 */
export function checkRun(tasksField: string) {
  return (run: unknown, context: z.core.$RefinementCtx): void => {
    if (!isRecord(run)) return
    const problems = [
      ...taskProblems(run[tasksField], { roles: run['roles'], under: tasksField }),
      ...repeatedWorkers(recordsOf(run['worker_specs'])),
    ]
    for (const problem of problems) addProblem(context, problem)
  }
}

/** What is wrong between the tasks of a list, sound or not: their ids, their dependencies, roles that the run does not have. */
export function taskProblems(
  tasks: unknown,
  {
    knownIds,
    roles,
    under,
  }: { readonly knownIds?: Pick<ReadonlySet<string>, 'has'>; readonly roles: unknown; readonly under: string },
): readonly DocumentProblem[] {
  const records = recordsOf(tasks)
  return [...dependencyProblems(records.map(asDependent), knownIds, under), ...roleProblems(records, roles, under)]
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

function roleProblems(tasks: readonly Loose[], roles: unknown, tasksField: string): DocumentProblem[] {
  if (!Array.isArray(roles)) return []
  const allowed = new Set<unknown>(roles)
  const expected = roles.length === 0 ? 'no role, as the run has none' : `one of the run's roles ${roles.map(String).join(', ')}`
  return tasks.flatMap(({ worker }, index) => {
    const role = isRecord(worker) ? worker['role'] : undefined
    const path: DocumentPath = [tasksField, index, 'worker', 'role']
    return typeof role !== 'string' || allowed.has(role) ? [] : [{ path, expected, got: describeFound(role, path) }]
  })
}

function repeatedWorkers(workers: readonly Loose[]): DocumentProblem[] {
  const seen = new Set<string>()
  return workers.flatMap(({ id }, index) => {
    if (typeof id !== 'string') return []
    if (seen.has(id)) return [{ path: ['worker_specs', index, 'id'], expected: 'an id of its own', got: `${quote(id)} again` }]
    seen.add(id)
    return []
  })
}
