import type { FleetTrustLevel } from '../protocol/security.ts'
import type { CheckRunner } from '../ports/check-runner.ts'
import type { Enforcement, Transport } from '../ports/transport.ts'

/** What matching needs to know of a worker; it does not change while the worker is registered. */
export interface WorkerFacts {
  readonly id: string
  readonly serves: Transport['serves']
  readonly capabilities: readonly string[]
  /** Roles that it serves; empty for any. */
  readonly roles: readonly string[]
  readonly host: 'local' | 'ssh' | 'docker' | 'remote'
  /** It proves who it is before it is taken; workers of this computer need not (SE1). */
  readonly verified: boolean
  /** Its own level; undefined takes the policy's default (SE1). */
  readonly trust: FleetTrustLevel | undefined
  readonly enforces: Enforcement
  /** What can be enforced on the command of a scorer on its host; undefined where none can be run (VE3). */
  readonly checks: Pick<CheckRunner, 'enforces'> | undefined
  /** The application lets it take leases of which it cannot enforce everything (SE2). */
  readonly runsUnenforced: boolean
  /** How many attempts at a time. */
  readonly slots: number
}
