import { lstat, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { glob } from 'tinyglobby'

/**
 * Regular files under a folder that match one of the patterns, dotfiles included, as sorted paths relative to it. Confined: what lies outside, by
 * `..`, by an absolute pattern or by a link, is not found.
 */
export async function findFiles(folder: string, patterns: readonly string[]): Promise<readonly string[]> {
  const inner = patterns.filter((pattern) => !leadsOut(pattern))
  if (inner.length === 0) return []
  const base = await realpath(folder).catch(() => undefined)
  if (base === undefined) return []
  const found = await glob(inner, { cwd: base, dot: true, onlyFiles: true, followSymbolicLinks: false, expandDirectories: false })
  const isRegular = await Promise.all(found.map((path) => isRegularInside(base, path)))
  return found.filter((_, index) => isRegular[index]).toSorted()
}

function leadsOut(pattern: string): boolean {
  return pattern.replace(/^!/, '').startsWith('/') || pattern.split('/').includes('..')
}

async function isRegularInside(base: string, path: string): Promise<boolean> {
  const absolute = join(base, path)
  const [facts, real] = await Promise.all([lstat(absolute), realpath(absolute)]).catch(() => [undefined, ''] as const)
  return facts?.isFile() === true && real.startsWith(base === sep ? sep : base + sep)
}
