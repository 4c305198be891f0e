import { z } from 'zod'
import { readPart } from './codec.ts'
import type { DocumentProblem } from './problem.ts'
import { addProblem } from './run-check.ts'
import type { Steps } from './steps.ts'
import { FleetTaskSpec } from './task.ts'

/** The tasks of a document, read before the rest of it. */
export interface ReadTasks {
  /** Where a task has problems it stands as it was written. */
  readonly tasks: readonly unknown[]
  /** Paths begin with the index of the task. */
  readonly problems: readonly DocumentProblem[]
}

/** Reads a list of tasks, a task a step. */
export function* readingTasks(list: readonly unknown[], under: string): Steps<ReadTasks> {
  const tasks: unknown[] = []
  const problems: DocumentProblem[] = []
  for (const [index, item] of list.entries()) {
    const reading = readPart(FleetTaskSpec.schema, item, [under, index])
    tasks.push(reading.ok ? reading.value : item)
    if (!reading.ok) for (const { path, ...found } of reading.problems) problems.push({ path: path.slice(1), ...found })
    yield
  }
  return { tasks, problems }
}

/** The place of tasks that were read before: their problems are told in it. */
export const tasksRead = z.custom<ReadTasks>().superRefine(({ problems }, context) => {
  for (const problem of problems) addProblem(context, problem)
})
