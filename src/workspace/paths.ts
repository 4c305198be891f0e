/** Arithmetic of absolute paths with `/`; nothing here asks the file system. */

/** A relative path appended to an absolute one. */
export function joinPath(base: string, relative: string): string {
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.')
  return parts.length === 0 ? base : `${base === '/' ? '' : base}/${parts.join('/')}`
}

/** Whether an absolute path is a folder or lies in it. `/a/root-evil` does not lie in `/a/root`. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`)
}

/** Where a path that lies inside a folder lies in it; empty for the folder itself. */
export function relativePath(path: string, folder: string): string {
  return path.slice(folder === '/' ? 1 : folder.length + 1)
}

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
