import { invalidDocument, quote } from '../protocol/problem.ts'
import type { DocumentProblem } from '../protocol/problem.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import { pathProblem, relativeProblem } from '../workspace/paths.ts'

/** Refuses paths that climb out of the workspace, as far as their text shows it (WS1); links are looked at before each attempt. */
export function refuseEscapes(tasks: readonly FleetTaskSpec[]): void {
  const problems = tasks.flatMap((task, index) =>
    escapesOf(task).map((problem) => ({ ...problem, path: ['tasks', index, ...problem.path] })),
  )
  if (problems.length > 0) throw invalidDocument('the document', problems)
}

function escapesOf({ workspace, input_files, scorer }: FleetTaskSpec): DocumentProblem[] {
  const inside = (path: DocumentProblem['path'], files: readonly string[] = []): DocumentProblem[] =>
    files.flatMap((file, index) => problemOf([...path, index], file, relativeProblem(file)))
  const root = workspace?.root
  const scored = scorer !== undefined && 'path' in scorer ? scorer.path : undefined
  return [
    ...(root === undefined ? [] : problemOf(['workspace', 'root'], root, pathProblem(root))),
    ...inside(['workspace', 'required_files'], workspace?.required_files),
    ...inside(['workspace', 'writable_paths'], workspace?.writable_paths),
    ...inside(['input_files'], input_files),
    ...(scored === undefined ? [] : problemOf(['scorer', 'path'], scored, pathProblem(scored))),
  ]
}

function problemOf(path: DocumentProblem['path'], text: string, problem: string | undefined): DocumentProblem[] {
  return problem === undefined
    ? []
    : [{ path, expected: 'a path that stays in the workspace', got: `${quote(text)}, which ${problem}` }]
}
