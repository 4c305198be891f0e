import type { FleetRunTarget, FleetWorkflow } from '../protocol/run.ts'
import type { FleetSecurityPolicy } from '../protocol/security.ts'
import type { FleetTaskBudget, FleetTaskWorkerProfile } from '../protocol/task.ts'
import type { FleetWorkerSpec } from '../protocol/worker.ts'

/** The part of a run that never changes. */
export interface RunHeader {
  readonly id: string
  readonly name: string
  /** Names the run in cursors (EV7). */
  readonly short: string
  readonly labels: Readonly<Record<string, string>>
  readonly worker_specs: readonly FleetWorkerSpec[]
  readonly security_policy?: FleetSecurityPolicy
  readonly target?: FleetRunTarget
  readonly workflow?: FleetWorkflow
  readonly roles?: readonly string[]
  readonly max_workers?: number
  /** For what its tasks, their profiles and the presets of their roles leave open (SC3). */
  readonly worker_defaults?: FleetTaskWorkerProfile
  /** Limits on what all of its tasks may spend together (BU3). */
  readonly budget?: FleetTaskBudget
  readonly open: boolean
  readonly createdAt: number
  readonly key?: string
  readonly digest?: string
  /** Absolute path that `workspace.root` is resolved under (WS1). */
  readonly workspace: string
  /** Fields of a newer version, kept as they are (WI2). */
  readonly extra?: Readonly<Record<string, unknown>>
}
