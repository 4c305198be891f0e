import type { FleetScore, FleetTaskFailureKind } from '../protocol/receipt.ts'
import type { FleetScorerSpec } from '../protocol/task.ts'

/** What is known of an attempt when its result is scored. */
export interface ScorerInput<Spec extends FleetScorerSpec = FleetScorerSpec> {
  readonly scorer: Spec
  /** Absolute path that the scorer's paths are confined to. */
  readonly root: string
  readonly exitCode?: number
}

/** A scorer's word on a result (VE1, VE2). */
export interface Verdict {
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
  | { readonly effect: true; score(input: ScorerInput<Spec>, options: { readonly signal: AbortSignal }): Promise<Verdict> }

/** One scorer per kind of the contract; a kind without one is refused at creation. */
export type Scorers = { readonly [Kind in FleetScorerSpec['kind']]?: Scorer<Extract<FleetScorerSpec, { kind: Kind }>> }
