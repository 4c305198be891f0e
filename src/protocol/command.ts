import type { FleetErrorCode } from './errors.ts'
import type { FleetScore } from './receipt.ts'
import type { Json } from './json.ts'

/** A person's verdict on a partial result (VE5). */
export interface SettleVerdict {
  readonly result: 'pass' | 'fail'
  readonly by: string
  readonly why?: string
  readonly score?: FleetScore
}

/** What any process may ask of a run, whoever owns it (ST10). */
export type RunCommand =
  | { readonly kind: 'run.start'; readonly run_id: string }
  | { readonly kind: 'run.pause'; readonly run_id: string }
  | { readonly kind: 'run.resume'; readonly run_id: string }
  | { readonly kind: 'run.cancel'; readonly run_id: string; readonly by: string; readonly reason?: string }
  | { readonly kind: 'run.seal'; readonly run_id: string }
  | { readonly kind: 'run.retry_failed'; readonly run_id: string; readonly tags?: readonly string[] }
  | {
      /** A kind of its own: whoever knew `run.cancel` without tags would cancel the whole run. */
      readonly kind: 'tasks.cancel'
      readonly run_id: string
      /** Tasks with one of them are meant. */
      readonly tags: readonly string[]
      readonly by: string
      readonly reason?: string
    }
  | {
      readonly kind: 'task.cancel'
      readonly run_id: string
      readonly task_id: string
      /** Only this attempt is meant; another one being live is a refusal. */
      readonly attempt?: number
      readonly by: string
      readonly reason?: string
    }
  | { readonly kind: 'task.restart'; readonly run_id: string; readonly task_id: string }
  | { readonly kind: 'task.settle'; readonly run_id: string; readonly task_id: string; readonly verdict: SettleVerdict }

/** A command on its way through a store's inbox. `id` makes it count once. */
export interface PostedCommand {
  readonly id: string
  readonly command: RunCommand
}

/** What became of a command. `changed` is false when there was nothing to do (cancelling what has ended). */
export type CommandOutcome = { readonly changed: boolean; readonly message: string; readonly details?: Json }

/** The owner's answer to a posted command. */
export type PostedAnswer =
  | { readonly ok: true; readonly outcome: CommandOutcome }
  | { readonly ok: false; readonly code: FleetErrorCode; readonly message: string; readonly details?: Json }
