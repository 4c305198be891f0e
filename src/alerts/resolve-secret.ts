import type { FleetSecretRef } from '../protocol/security.ts'

/** Gives the value of a secret for an alert of a run; undefined where there is none. */
export type ResolveSecret = (ref: FleetSecretRef, run: string) => Promise<string | undefined>
