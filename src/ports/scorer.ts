import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { Json } from '../protocol/json.ts'
import type { FleetReceipt, FleetScore, FleetTaskFailureKind } from '../protocol/receipt.ts'
import type { FleetScorerSpec, FleetTaskSpec } from '../protocol/task.ts'
import type { AttemptKey, Confinement } from '../protocol/wire.ts'

/** What is known of an attempt when its result is scored. */
export interface ScorerInput<Spec extends FleetScorerSpec = FleetScorerSpec> {
  readonly scorer: Spec
  /** Absolute path that the scorer's paths are confined to. */
  readonly root: string
  readonly exitCode?: number
}

/** The attempt whose result is scored. */
export interface ScoredAttempt {
  readonly key: AttemptKey
  readonly worker: string
  readonly task: FleetTaskSpec
  /** Absolute path of its own folder. */
  readonly folder: string
  /** Values of the names that its task requires or allows (WS3). */
  readonly environment: Readonly<Record<string, string>>
  /** What it was held to; undefined: nothing. */
  readonly confined: Confinement | undefined
  readonly output: Json | undefined
  readonly artifacts: readonly FleetArtifactRef[]
  /** Receipts of the attempts before, oldest first. */
  readonly previous: readonly FleetReceipt[]
}

/** What a scorer that needs the outside world is told. */
export interface EffectInput<Spec extends FleetScorerSpec = FleetScorerSpec> extends ScorerInput<Spec> {
  readonly attempt: ScoredAttempt
}

/** A scorer's word on a result (VE1, VE2). */
export interface Verdict {
  /** `partial`: nobody can say yet, so a person is asked (VE5). */
  readonly result: 'pass' | 'partial' | 'fail'
  /** Set when `result` is `fail`: the evidence says no (`task`), or the check could not be made (`verifier`, `transport`). */
  readonly failureKind?: FleetTaskFailureKind
  readonly score: FleetScore
  /** What the verdict rests on. A receipt holds 4 KiB of it; what is longer is kept in a blob (VE6). */
  readonly evidence: string
}

/** Checks results of one kind. A scorer that needs the outside world is an effect; one that does not answers at once. */
export type Scorer<Spec extends FleetScorerSpec = FleetScorerSpec> =
  | { readonly effect: false; score(input: ScorerInput<Spec>): Verdict }
  | {
      readonly effect: true
      /** True: after its signal has aborted its end is waited for, since something of it may still run. */
      readonly endsByItself?: boolean
      score(input: EffectInput<Spec>, options: { readonly signal: AbortSignal }): Promise<Verdict>
    }

/** One scorer per kind of the contract. */
export type Scorers = { readonly [Kind in FleetScorerSpec['kind']]: Scorer<Extract<FleetScorerSpec, { kind: Kind }>> }
