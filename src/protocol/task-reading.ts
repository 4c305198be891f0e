import { readPart } from './codec.ts'
import type { DocumentProblem } from './problem.ts'
import type { Steps } from './steps.ts'
import { FleetTaskSpec } from './task.ts'

/** The tasks of a document, read before the rest of it. */
export interface ReadTasks {
  /** Where a task has problems it stands as it was written. */
  readonly tasks: readonly unknown[]
  readonly problems: readonly DocumentProblem[]
}

/** Reads a list of tasks, a task a step. */
export function* readingTasks(list: readonly unknown[], under: string): Steps<ReadTasks> {
  const tasks: unknown[] = []
  const problems: DocumentProblem[] = []
  for (const [index, item] of list.entries()) {
    if (index > 0) yield
    const reading = readPart(FleetTaskSpec.schema, item, [under, index])
    tasks.push(reading.ok ? reading.value : item)
    if (!reading.ok) problems.push(...reading.problems)
  }
  return { tasks, problems }
}
