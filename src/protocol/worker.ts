import { z } from 'zod'
import { contract, type InputOf, type ValueOf } from './codec.ts'
import { atLeastOne, displayName, field, filePath, filled, line, list, map, object, optional, token } from './field.ts'
import { FleetHostSpec } from './host.ts'
import { reservedId } from './ids.ts'
import { FleetSecretRef, FleetTrustLevel } from './security.ts'

/** How a worker proves who it is; `method` tells which way (SE7). */
export const FleetWorkerAuth = contract('FleetWorkerAuth', () =>
  z.discriminatedUnion('method', [
    object({ method: z.literal('none') }),
    object({
      method: z.literal('ssh_key'),
      identity: filePath(),
      known_hosts: optional(filePath()),
      host_key_fingerprint: optional(line()),
      user: optional(line()),
    }),
    object({ method: z.literal('token'), token_ref: FleetSecretRef.schema }),
    object({ method: z.literal('mtls'), cert_path: filePath(), key_ref: FleetSecretRef.schema }),
  ]),
)
export type FleetWorkerAuth = ValueOf<typeof FleetWorkerAuth>

/** The id of a worker: a token that is not reserved. */
const workerId = field(() =>
  token().refine((id) => id !== reservedId, { error: `an id other than "${reservedId}", which is reserved` }),
)

/** A worker that a run brings along (SC3, SE1). */
export const FleetWorkerSpec = contract('FleetWorkerSpec', () =>
  object({
    id: workerId(),
    name: displayName(),
    host: FleetHostSpec.schema,
    trust_level: optional(FleetTrustLevel.schema),
    labels: map(z.string()),
    capabilities: list(filled()),
    max_concurrent_tasks: optional(atLeastOne()),
    auth: optional(FleetWorkerAuth.schema),
  }),
)
export type FleetWorkerSpec = ValueOf<typeof FleetWorkerSpec>
export type FleetWorkerSpecInput = InputOf<typeof FleetWorkerSpec>

/** What a worker is doing (WO). */
export const FleetWorkerStatus = contract('FleetWorkerStatus', () =>
  z.enum(['unknown', 'online', 'busy', 'offline', 'unhealthy', 'draining', 'retired']),
)
export type FleetWorkerStatus = ValueOf<typeof FleetWorkerStatus>

/** Whether a worker is gone for good. */
export function isTerminalWorkerStatus(status: FleetWorkerStatus): boolean {
  return status === 'retired'
}

/** Whether a worker is there and takes leases, or has them. */
export function isActiveWorkerStatus(status: FleetWorkerStatus): boolean {
  return status === 'online' || status === 'busy'
}
