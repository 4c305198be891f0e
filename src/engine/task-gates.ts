import type { FleetTaskSpec } from '../protocol/task.ts'
import { claimsOf } from '../security/claims.ts'
import type { Claims } from '../security/claims.ts'

/** What a task must pass before it is leased, besides finding a worker: limits of its class and key, and the claims of others (SC6, SC7). */
export interface TaskGates {
  /** Equal for tasks that pass the same gates, so that one look at the first of them tells of all. */
  readonly signature: string
  readonly class: string | undefined
  readonly key: string | undefined
  readonly claims: Claims | undefined
}

/** The gates of a task; null when it has none, as most do. */
export function gatesOf(spec: FleetTaskSpec, workspace: string): TaskGates | null {
  const claims = claimsOf(spec, workspace)
  const { class: ofClass } = spec.metadata
  const key = spec.concurrency_key
  if (claims === undefined && ofClass === undefined && key === undefined) return null
  return { signature: JSON.stringify([ofClass, key, claims]), class: ofClass, key, claims }
}
