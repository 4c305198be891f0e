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
