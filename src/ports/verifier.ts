import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { Json } from '../protocol/json.ts'
import type { FleetReceipt } from '../protocol/receipt.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'

/** What a verifier is asked to judge (VE4). */
export interface VerifierInput {
  /** What the task's scorer asks. */
  readonly prompt: string
  readonly run_id: string
  readonly task: FleetTaskSpec
  readonly attempt: number
  /** The worker that had the attempt. */
  readonly worker: string
  /** What the attempt handed back; undefined for nothing. */
  readonly output: Json | undefined
  readonly exit_code: number | undefined
  /** What the attempt left: paths relative to the task's root, or to the attempt's folder. */
  readonly artifacts: readonly FleetArtifactRef[]
  /** Receipts of the attempts before, oldest first. */
  readonly previous: readonly FleetReceipt[]
  /** Absolute path of the task's root. */
  readonly root: string
  /** Absolute path of the attempt's own folder; it may not be there. */
  readonly folder: string
  /** Aborts when the time for it is over, the task is cancelled, or the fleet closes. */
  readonly signal: AbortSignal
}

/** What a verifier says (VE4). */
export interface VerifierAnswer {
  /** How good it is; a finite number. */
  readonly value: number
  /** What `value` is out of. Default: 1. */
  readonly max?: number
  /** Why: it stands on the receipt, and the next attempt reads it. */
  readonly notes?: string
  /** Whether the result passes. Default: it does when `value` is `max` or more. */
  readonly pass?: boolean
}

/**
 * Judges results of tasks whose scorer is `code_whale_verifier_prompt`: by a model, a service, or code of the application. A throw, an answer of
 * another shape, or none in time (`limits.scorerTimeoutMs`) is a `verifier` failure (RE7). It may be asked again about one attempt after a
 * crash (CO5).
 */
export type Verifier = (input: VerifierInput) => VerifierAnswer | Promise<VerifierAnswer>
