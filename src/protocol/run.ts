import { z } from 'zod'
import { contract, type ValueOf } from './codec.ts'
import { atLeastOne, displayName, field, flag, line, list, map, object, optional, timestamp, token } from './field.ts'
import { reservedId } from './ids.ts'
import { checkRun } from './run-check.ts'
import { FleetSecurityPolicy } from './security.ts'
import { FleetTaskBudget, FleetTaskSpec, FleetTaskWorkerProfile } from './task.ts'
import { FleetWorkerSpec } from './worker.ts'

/** Where a run stands (RU). */
export const FleetRunStatus = contract('FleetRunStatus', () =>
  z.enum(['pending', 'queued', 'running', 'paused', 'completed', 'failed', 'cancelled']),
)
export type FleetRunStatus = ValueOf<typeof FleetRunStatus>

/** Whether a run has ended. */
export function isTerminalRunStatus(status: FleetRunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

/** Whether a run is on its way: neither paused nor ended. */
export function isActiveRunStatus(status: FleetRunStatus): boolean {
  return status === 'pending' || status === 'queued' || status === 'running'
}

/** Which hosts a run may use: this machine's, others' (ssh, docker, dialled in), or a cloud's, which nothing here can be (SC3). */
export const FleetRunTarget = contract('FleetRunTarget', () => z.enum(['this_computer', 'another_computer', 'cloud']))
export type FleetRunTarget = ValueOf<typeof FleetRunTarget>

/** The identity of the workflow that a run belongs to, shown in summaries and events. */
export const FleetWorkflow = contract('FleetWorkflow', () =>
  object({ id: line(), kind: z.literal('parallel').default('parallel') }),
)
export type FleetWorkflow = ValueOf<typeof FleetWorkflow>

/** The id of a run: a token that is not reserved. */
export const runId = field(() =>
  token().refine((id) => id !== reservedId, { error: `an id other than "${reservedId}", which is reserved` }),
)

/** The fields of a run besides its tasks that its creator chooses. */
export const runOptions = () => ({
  worker_specs: list(FleetWorkerSpec.schema),
  labels: map(z.string()),
  security_policy: optional(FleetSecurityPolicy.schema),
})

/** Flotilla's own fields of a run. */
export const runExtras = () => ({
  target: optional(FleetRunTarget.schema),
  workflow: optional(FleetWorkflow.schema),
  /** When given, every task's role is one of them. */
  roles: optional(z.array(token())),
  /** Leases that the run may hold at once (SC1). */
  max_workers: optional(atLeastOne()),
  /** Takes tasks after its creation, and ends only once it is sealed (RU3, RU8). */
  open: optional(flag()),
  /** For what its tasks, their profiles and the presets of their roles leave open (SC3). */
  worker_defaults: optional(FleetTaskWorkerProfile.schema),
  /** Over all tasks of the run (BU3). */
  budget: optional(FleetTaskBudget.schema),
})

/** A run as it is read: what it was created with, and where it stands (RU). */
export const FleetRun = contract('FleetRun', () =>
  object({
    id: runId(),
    name: displayName(),
    status: FleetRunStatus.schema,
    task_specs: list(FleetTaskSpec.schema),
    ...runOptions(),
    created_at: timestamp(),
    updated_at: optional(timestamp()),
    completed_at: optional(timestamp()),
    ...runExtras(),
  }).superRefine(checkRun('task_specs'), { when: () => true }),
)
export type FleetRun = ValueOf<typeof FleetRun>
