import { isRecord } from './field.ts'
import { pathProblem, relativeProblem } from './path-text.ts'
import { quote, type DocumentPath, type DocumentProblem } from './problem.ts'
import type { Steps } from './steps.ts'

/**
 * In steps: paths of tasks that climb out of the workspace, as far as their text shows it (WS1); links are looked at before each
 * attempt. It also takes tasks whose shape has problems, and looks at what is sound in them (WI6).
 */
export function* checkingPaths(tasks: unknown, under: string): Steps<readonly DocumentProblem[]> {
  const problems: DocumentProblem[] = []
  if (!Array.isArray(tasks)) return problems
  for (const [index, task] of tasks.entries()) {
    if (index > 0) yield
    if (isRecord(task))
      for (const problem of problemsOfTask(task)) problems.push({ ...problem, path: [under, index, ...problem.path] })
  }
  return problems
}

function problemsOfTask({ workspace, input_files, scorer }: Readonly<Record<string, unknown>>): DocumentProblem[] {
  const place = isRecord(workspace) ? workspace : {}
  return [
    ...checked(['workspace', 'root'], place['root'], pathProblem),
    ...checkedList(['workspace', 'required_files'], place['required_files']),
    ...checkedList(['workspace', 'writable_paths'], place['writable_paths']),
    ...checkedList(['input_files'], input_files),
    ...checked(['scorer', 'path'], isRecord(scorer) ? scorer['path'] : undefined, pathProblem),
  ]
}

function checkedList(path: DocumentPath, files: unknown): DocumentProblem[] {
  return Array.isArray(files) ? files.flatMap((file: unknown, index) => checked([...path, index], file, relativeProblem)) : []
}

function checked(path: DocumentPath, text: unknown, check: (text: string) => string | undefined): DocumentProblem[] {
  const problem = typeof text === 'string' ? check(text) : undefined
  return problem === undefined
    ? []
    : [{ path, expected: 'a path that stays in the workspace', got: `${quote(String(text))}, which ${problem}` }]
}
