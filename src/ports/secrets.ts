import type { FleetSecretRef } from '../protocol/security.ts'

/** A place that secrets come from. Pass your own as `createFleet({ secrets: { source, resolve } })`. */
export interface SecretSource {
  /**
   * `env`, `file`, `keyring`, or a name of your own. A reference that names a source is looked for there alone, one that names none in
   * every source, in order.
   */
  readonly source: string
  /**
   * The value of a key, or undefined when it is not here. What it throws fails the attempt for good; of that only the message of a
   * `FleetError` with the code `secret_unresolved` is told, so it must not hold the value. `signal` aborts when nobody waits any more.
   */
  resolve(key: string, options: { readonly signal: AbortSignal }): string | undefined | Promise<string | undefined>
}

/** The secrets that a fleet can resolve (SE5). */
export interface Secrets {
  /** Why nothing here could ever resolve a reference, as the end of a sentence; undefined when something may. */
  unresolvable(ref: FleetSecretRef): string | undefined
  /** The values by key, or everything that is wrong, one sentence each. It never rejects, and no sentence holds a value. */
  resolve(refs: readonly FleetSecretRef[], options: { readonly signal: AbortSignal }): Promise<SecretsOutcome>
}

export type SecretsOutcome = { readonly values: Readonly<Record<string, string>> } | { readonly problems: readonly string[] }
