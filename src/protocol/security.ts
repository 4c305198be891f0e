import { z } from 'zod'
import { alsoRead } from './alias.ts'
import { contract, type InputOf, type ValueOf } from './codec.ts'
import { filled, flag, list, object, optional } from './field.ts'

const trustLevels = ['sandbox', 'local', 'remote_verified', 'operator'] as const
const trustAliases = { 'remote-verified': 'remote_verified', remoteVerified: 'remote_verified' }

/** How far a worker is trusted, from `sandbox`, the lowest and the default, to `operator` (SE1). */
export const FleetTrustLevel = contract('FleetTrustLevel', () => alsoRead(z.enum(trustLevels), trustAliases))
export type FleetTrustLevel = ValueOf<typeof FleetTrustLevel>

/** The place of a level in the order: `sandbox` 0, `local` 1, `remote_verified` 2, `operator` 3. */
export function trustRank(level: FleetTrustLevel): number {
  return trustLevels.indexOf(level)
}

/** The lower one of two levels. */
export function lowerTrust(one: FleetTrustLevel, other: FleetTrustLevel): FleetTrustLevel {
  return trustRank(one) <= trustRank(other) ? one : other
}

/** Whether secrets may be handed to a worker of this level. */
export function mayAccessSecrets(level: FleetTrustLevel): boolean {
  return level !== 'sandbox'
}

/** Whether a worker of this level may write to the workspace outside the folders of its attempts. */
export function mayWriteWorkspace(level: FleetTrustLevel): boolean {
  return level === 'local' || level === 'operator'
}

/** Whether a worker of this level may use the network. */
export function mayUseNetwork(level: FleetTrustLevel): boolean {
  return level !== 'sandbox'
}

const secretObject = () => object({ key: filled(), source: optional(filled()) })

/**
 * Names a secret, and where to look for it: `env`, `keyring`, `file`, or everywhere in the resolver's order. Read from the bare key
 * too, always written as an object. Never holds the secret itself (SE5).
 */
export const FleetSecretRef = contract('FleetSecretRef', () =>
  z
    .union([filled(), secretObject()], { error: 'the key of a secret, or an object with `key`' })
    .transform((ref) => (typeof ref === 'string' ? { key: ref } : ref)),
)
export type FleetSecretRef = ValueOf<typeof FleetSecretRef>

/** The only way in which a reference to a secret is printed: `<secret:KEY>` or `<secret:env.KEY>` (SE5). */
export function formatSecretRef(ref: FleetSecretRef): string {
  return ref.source === undefined ? `<secret:${ref.key}>` : `<secret:${ref.source}.${ref.key}>`
}

/** Adds a capability to what a trust level gives, within a scope (SE4). */
export const FleetCapabilityGrant = contract('FleetCapabilityGrant', () =>
  object({ capability: filled(), scope: optional(z.string()), reason: optional(z.string()) }),
)
export type FleetCapabilityGrant = ValueOf<typeof FleetCapabilityGrant>

/** What the workers of a run may do (SE1–SE5). `{}` is the policy of a run without one. */
export const FleetSecurityPolicy = contract('FleetSecurityPolicy', () =>
  object({
    default_trust_level: FleetTrustLevel.schema.default('sandbox'),
    allowed_secrets: list(FleetSecretRef.schema),
    capability_grants: list(FleetCapabilityGrant.schema),
    max_trust_level: FleetTrustLevel.schema.default('operator'),
    require_identity_verification: flag().default(false),
    /** Handed to the worker with its assignment. */
    allow_parallel_reads: flag().default(false),
  }),
)
export type FleetSecurityPolicy = ValueOf<typeof FleetSecurityPolicy>
export type FleetSecurityPolicyInput = InputOf<typeof FleetSecurityPolicy>
