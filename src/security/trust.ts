import type { FleetEffectivePermissions } from '../protocol/receipt.ts'
import type { FleetTrustLevel } from '../protocol/security.ts'
import { mayUseNetwork, mayWriteWorkspace } from '../protocol/security.ts'

/**
 * What an attempt at a trust level is allowed, as its receipt records it. From `local` up nothing is confined, so the record says
 * that everything was open: it tells what was enforced, not what was asked.
 */
export function permissionsOf(level: FleetTrustLevel): FleetEffectivePermissions {
  const open = level !== 'sandbox'
  return {
    write: open || mayWriteWorkspace(level),
    network: open || mayUseNetwork(level),
    shell: open ? 'full' : 'none',
    tool_scope: 'inherit',
    tools: [],
    background: open,
    max_spawn_depth: 0,
    source: `trust level ${level}`,
  }
}
