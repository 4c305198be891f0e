/** What is wrong with a path that must be relative and stay inside, as the end of a sentence; undefined when nothing is. */
export function relativeProblem(path: string): string | undefined {
  if (path.startsWith('/')) return 'is absolute'
  return pathProblem(path)
}

/** What is wrong with any path: nothing names a file with it, or it climbs. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'is empty'
  if (/\p{Cc}/u.test(path)) return 'holds a control character'
  if (path.split('/').includes('..')) return 'holds `..`'
  return undefined
}
