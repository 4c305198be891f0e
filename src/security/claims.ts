import type { FleetTaskSpec } from '../protocol/task.ts'

/** What a task claims for itself while it holds a lease (SC7). */
export interface Claims {
  /** Absolute paths without `.` and empty parts. */
  readonly paths: readonly string[]
  /** `metadata.coordination_contracts`. */
  readonly names: readonly string[]
}

/**
 * The claims of a task: its `writable_paths` under its root, and its named contracts; undefined when it claims nothing. A path with
 * wildcards claims the folder that they stand in. `workspace` is the absolute path that roots are resolved under (WS1).
 */
export function claimsOf(spec: Pick<FleetTaskSpec, 'workspace' | 'metadata'>, workspace: string): Claims | undefined {
  const paths = spec.workspace?.writable_paths ?? []
  const names = spec.metadata['coordination_contracts'] ?? []
  if (paths.length === 0 && names.length === 0) return undefined
  const root = spec.workspace?.root ?? '.'
  const base = root.startsWith('/') ? root : `${workspace}/${root}`
  return { paths: [...new Set(paths.map((path) => absolute(base, path)))].sort(), names: [...new Set(names)].sort() }
}

/** What two tasks both claim, as one would name it; undefined when they may work at the same time. `a` overlaps `a/b`, `.` everything. */
export function overlap(a: Claims, b: Claims): string | undefined {
  const name = a.names.find((one) => b.names.includes(one))
  if (name !== undefined) return name
  for (const path of a.paths) {
    const other = b.paths.find((one) => isWithin(path, one) || isWithin(one, path))
    // The deeper of the two is what both would write.
    if (other !== undefined) return path.length > other.length ? path : other
  }
  return undefined
}

function absolute(base: string, path: string): string {
  const wildcard = path.split('/').findIndex((part) => /[*?[{]/.test(part))
  const fixed = wildcard < 0 ? path : path.split('/').slice(0, wildcard).join('/')
  const parts = `${base}/${fixed}`.split('/').filter((part) => part !== '' && part !== '.')
  return `/${parts.join('/')}`
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`)
}
