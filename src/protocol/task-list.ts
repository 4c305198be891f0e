import { contract, mergingProblems } from './codec.ts'
import { isRecord, list, object } from './field.ts'
import { copyingJson } from './json-copy.ts'
import { reportingInvalid } from './problem.ts'
import { checkingPaths } from './path-check.ts'
import { checkingTasks } from './run-check.ts'
import { allAtOnce, type Steps } from './steps.ts'
import { readingTasks } from './task-reading.ts'
import { FleetTaskSpec } from './task.ts'

/** What the tasks are added to. */
export interface TaskListRun {
  readonly knownIds?: Pick<ReadonlySet<string>, 'has'>
  readonly roles?: readonly string[] | undefined
}

const taskList = contract('tasks', () => object({ tasks: list(FleetTaskSpec.schema) }))

/**
 * Reads tasks that are added to a run (RU8). `knownIds` are the run's tasks, which the new ones may depend on and whose ids they cannot
 * have; `roles` the run's roles, when it names some. Throws `invalid_document` with every problem, each under `tasks[…]`.
 */
export function parseTasks(tasks: readonly unknown[], run: TaskListRun = {}): readonly FleetTaskSpec[] {
  return allAtOnce(parsingTasks(tasks, run))
}

/** As `parseTasks`, in steps. */
export function* parsingTasks(input: readonly unknown[], { knownIds, roles }: TaskListRun): Steps<readonly FleetTaskSpec[]> {
  const copy = yield* copyingJson({ tasks: input })
  const document = copy.value
  // Whoever writes no TypeScript may pass anything.
  if (!isRecord(document) || !Array.isArray(document['tasks'])) return taskList.parse({ tasks: input }).tasks
  const read = yield* readingTasks(document['tasks'], 'tasks')
  const between = yield* checkingTasks(read.tasks, { knownIds, roles, under: 'tasks' })
  const paths = yield* checkingPaths(read.tasks, 'tasks')
  const problems = [...(yield* mergingProblems(copy.problems, read.problems)), ...between, ...paths]
  if (problems.length > 0) throw yield* reportingInvalid('tasks', problems)
  return read.tasks as readonly FleetTaskSpec[]
}
