import { z } from 'zod'
import { FleetAlertChannel, FleetAlertEndpoint, FleetAlertEventClass, FleetAlertPolicy } from './alert.ts'
import { FleetArtifactKind, FleetArtifactRef } from './artifact.ts'
import type { Contract } from './codec.ts'
import { FleetError } from './errors.ts'
import { FleetEventReplay, FleetInboxEntry, FleetRuntimeEvent, FleetWorkerEvent, FleetWorkerEventPayload } from './event.ts'
import { schemaNotes } from './field.ts'
import { fleetFrame } from './fleet-frame.ts'
import { FleetHostSpec } from './host.ts'
import { FleetRunId } from './ids.ts'
import type { Json } from './json.ts'
import {
  FleetEffectivePermissions,
  FleetReceipt,
  FleetResolvedRoute,
  FleetScore,
  FleetTaskFailureKind,
  FleetTaskResult,
} from './receipt.ts'
import { FleetRun, FleetRunStatus, FleetRunTarget, FleetWorkflow } from './run.ts'
import { FleetRunSpec } from './run-spec.ts'
import { FleetCapabilityGrant, FleetSecretRef, FleetSecurityPolicy, FleetTrustLevel } from './security.ts'
import {
  FleetEnvironmentRequirements,
  FleetRetryPolicy,
  FleetScorerSpec,
  FleetTaskBudget,
  FleetTaskSpec,
  FleetTaskWorkerProfile,
  FleetWorkspaceRequirements,
} from './task.ts'
import { workerFrame } from './worker-frame.ts'
import { FleetWorkerAuth, FleetWorkerSpec, FleetWorkerStatus } from './worker.ts'

const contracts = byName({
  FleetAlertChannel,
  FleetAlertEndpoint,
  FleetAlertEventClass,
  FleetAlertPolicy,
  FleetArtifactKind,
  FleetArtifactRef,
  FleetCapabilityGrant,
  FleetEffectivePermissions,
  FleetEnvironmentRequirements,
  FleetEventReplay,
  FleetHostSpec,
  FleetInboxEntry,
  FleetReceipt,
  FleetResolvedRoute,
  FleetRetryPolicy,
  FleetRun,
  FleetRunId,
  FleetRunSpec,
  FleetRunStatus,
  FleetRunTarget,
  FleetRuntimeEvent,
  FleetScore,
  FleetScorerSpec,
  FleetSecretRef,
  FleetSecurityPolicy,
  FleetTaskBudget,
  FleetTaskFailureKind,
  FleetTaskResult,
  FleetTaskSpec,
  FleetTaskWorkerProfile,
  FleetTrustLevel,
  FleetWorkerAuth,
  FleetWorkerEvent,
  FleetWorkerEventPayload,
  FleetWorkerSpec,
  FleetWorkerStatus,
  FleetWorkflow,
  FleetWorkspaceRequirements,
})

/** Both sides of the worker protocol (docs/worker-protocol.md). */
const frames = byName({ FleetFrame: fleetFrame, WorkerFrame: workerFrame })

/** The name of one side of the worker protocol. */
export type FrameTypeName = 'FleetFrame' | 'WorkerFrame'

/** The names of the lines of the worker protocol: of the fleet, and of a worker. */
export const frameTypeNames: readonly FrameTypeName[] = ['FleetFrame', 'WorkerFrame']

/** The name of a type of the contract. */
export type FleetTypeName = keyof typeof contracts

/** The names of all types of the contract, sorted. */
export const fleetTypeNames: readonly FleetTypeName[] = Object.keys(contracts)
  .filter((name): name is FleetTypeName => Object.hasOwn(contracts, name))
  .sort()

/**
 * A JSON Schema (draft 2020-12) of what may be written for a type of the contract, or for a line of the worker protocol, made from its zod schema (WI8): required fields, defaults, and null
 * where it counts as absent. Other types stand under `$defs`. Aliases, and rules between fields, are not in it. Throws `usage` for
 * another name.
 */
export function jsonSchema(typeName: string): Json {
  if (!isTypeName(typeName) && !isFrameName(typeName)) {
    const all = [...fleetTypeNames, ...frameTypeNames].join(', ')
    throw new FleetError('usage', `The contract has no type "${typeName}". It has ${all}.`)
  }
  const { schema: asked } = isTypeName(typeName) ? contracts[typeName] : frames[typeName]
  const names = z.registry<{ id: string }>()
  for (const name of fleetTypeNames) {
    if (name !== typeName) names.add(contracts[name].schema, { id: name })
  }
  const schema = z.toJSONSchema(asked, {
    io: 'input',
    metadata: names,
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema: made }) {
      Object.assign(made, schemaNotes.get(zodSchema))
      // zod leaves out the default of what it transforms; every default of the contract is in its written form.
      if (zodSchema instanceof z.ZodDefault) made.default = zodSchema.def.defaultValue
    },
  })
  return JSON.parse(JSON.stringify({ title: typeName, ...schema }))
}

function isTypeName(name: string): name is FleetTypeName {
  return Object.hasOwn(contracts, name)
}

function isFrameName(name: string): name is FrameTypeName {
  return Object.hasOwn(frames, name)
}

/** Only the names are left of the types: the declarations of this file would hold all of them once more. */
function byName<Name extends string>(table: Readonly<Record<Name, Contract<unknown>>>) {
  return table
}
