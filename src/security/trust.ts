import type { FleetEffectivePermissions } from '../protocol/receipt.ts'
import type { FleetTrustLevel } from '../protocol/security.ts'
import type { Confinement } from '../protocol/wire.ts'
import type { Grants } from './grants.ts'

/** Something that an attempt can be kept from. */
export type Control = 'network' | 'fileWrites' | 'environment' | 'processes'

/** What an attempt at each level must be kept from (SE3); from `local` up nothing is confined. */
export const controlsOf: Readonly<Record<FleetTrustLevel, readonly Control[]>> = {
  sandbox: ['network', 'fileWrites', 'environment', 'processes'],
  local: [],
  remote_verified: [],
  operator: [],
}

/** What whoever runs an attempt must be able to enforce: what its level is kept from, but for what was granted (SE2, SE4). */
export function neededControls(level: FleetTrustLevel, grants: Grants): readonly Control[] {
  return controlsOf[level].filter((control) => !(control === 'network' && grants.network))
}

/** What an attempt is held to, and what its receipt says of that. */
export interface LeaseTerms {
  readonly level: FleetTrustLevel
  /** Undefined: it is confined to nothing. */
  readonly confined: Confinement | undefined
  readonly permissions: FleetEffectivePermissions
}

/** Terms at which nothing is enforced: the record says that everything was open, whatever was asked for. */
function openTerms(level: FleetTrustLevel, source: string): LeaseTerms {
  return { level, confined: undefined, permissions: permissions({ write: true, network: true, isOpen: true, source }) }
}

const openAt: Readonly<Record<FleetTrustLevel, LeaseTerms>> = {
  sandbox: openTerms('sandbox', 'trust level sandbox, of which nothing was enforced'),
  local: openTerms('local', 'trust level local'),
  remote_verified: openTerms('remote_verified', 'trust level remote_verified'),
  operator: openTerms('operator', 'trust level operator'),
}

/** Permissions that records call by a name. What a name stands for never changes: records of earlier versions have it too. */
const namedPermissions = { local: openAt.local.permissions }
export type PermissionsName = keyof typeof namedPermissions

/** What a name stands for: a copy, since it is handed out. */
export function permissionsCalled(name: PermissionsName): FleetEffectivePermissions {
  const permissions = namedPermissions[name]
  return { ...permissions, tools: [...permissions.tools] }
}

/** The terms of nearly all leases; an entry need not say them, and a receipt says them by their name. */
export const usualTerms = openAt.local
export const usualPermissions: PermissionsName = 'local'

/**
 * The terms of a lease at a level (SE1–SE4). `isEnforced`: whether its worker can enforce what the level needs; otherwise the application
 * said that it may run all the same.
 */
export function leaseTerms(
  level: FleetTrustLevel,
  lease: { readonly grants: Grants; readonly writablePaths: readonly string[]; readonly isEnforced: boolean },
): LeaseTerms {
  if (controlsOf[level].length === 0 || !lease.isEnforced) return openAt[level]
  const { grants, writablePaths } = lease
  // A task's own list narrows what was granted (WS4).
  const writable = grants.writes.length > 0 && writablePaths.length > 0 ? writablePaths : grants.writes
  const granted = [...(grants.network ? ['network'] : []), ...writable.map((path) => `workspace-write ${path}`)]
  const source = [`trust level ${level}`, ...(granted.length > 0 ? [`with ${granted.join(', ')}`] : [])].join(' ')
  return {
    level,
    confined: { network: grants.network, writable_paths: writable },
    permissions: permissions({ write: writable.length > 0, network: grants.network, isOpen: false, source }),
  }
}

function permissions(of: {
  readonly write: boolean
  readonly network: boolean
  readonly isOpen: boolean
  readonly source: string
}): FleetEffectivePermissions {
  const { write, network, isOpen, source } = of
  return {
    write,
    network,
    // A shell may run in a sandbox; it does no more than the sandbox lets it.
    shell: write ? 'full' : 'read_only',
    tool_scope: 'inherit',
    tools: [],
    background: isOpen,
    max_spawn_depth: 0,
    source,
  }
}
