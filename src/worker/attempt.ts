import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { Json } from '../protocol/json.ts'
import type { FleetReceipt } from '../protocol/receipt.ts'
import type { FleetTaskBudget, FleetTaskSpec } from '../protocol/task.ts'
import type { AttemptSecrets } from './attempt-secrets.ts'

/** A file that the work left, by its path, or bytes that it hands over. */
export type AttemptArtifact =
  | {
      /** `log`, `patch`, `test_result`, `report`, `checkpoint`, `receipt`, or a kind of your own. */
      readonly kind: string
      /** Relative to the attempt's folder, else to the workspace root. */
      readonly path: string
      readonly mimeType?: string
    }
  | {
      readonly kind: string
      /** The name to record for the bytes. */
      readonly name: string
      readonly content: string | Uint8Array
      readonly mimeType?: string
    }

/** The route to the model that does the work, as only the worker knows it. Never a credential, nor a URL that embeds one. */
export interface AttemptRoute {
  readonly providerId: string
  readonly providerKind: string
  readonly protocol: string
  /** The model's id on the wire. Default: the task's `worker.model`. */
  readonly wireModelId?: string | undefined
  readonly providerExactId?: string | undefined
  readonly canonicalModel?: string | undefined
  readonly modelRoute?: string | undefined
  readonly reasoningEffort?: string | undefined
}

/** What a dependency left behind. */
export interface AttemptDependency {
  readonly receipt: FleetReceipt
  /** The dependency's output: `receipt.output`. */
  readonly output: Json | undefined
}

/**
 * One attempt at one task, as the code that does the work sees it: what to do, and a line to the fleet.
 *
 * Reports are ordered. None of them needs to be awaited: a report that is not awaited never becomes an unhandled rejection. Once
 * `signal` has aborted, or the attempt has ended, every method throws: the signal's reason, or `lease_lost`. `modelWait`, `tool`,
 * `workflow`, `usage`, `route`, `log` and `fail` throw where they are called; `artifact` and `delay` reject.
 *
 * What costs something, such as `signal`, is made when it is read, and methods need no `this`: take out of it what you need. A copy by
 * spreading holds the plain facts alone.
 */
export interface AttemptContext<Input = unknown> {
  /** The task. Its `worker` is what applies: profile, role preset and defaults of the run are merged into it. */
  readonly task: FleetTaskSpec
  /** The task's `input`, as the handler's input schema made it. */
  readonly input: Input
  /** The number of this attempt, from 1. It never occurs twice for a task, so it can fence what the work writes elsewhere (LE1). */
  readonly number: number
  readonly runId: string
  /**
   * Aborts when the work must end. Its `reason` is a `FleetError`: `task_cancelled`, `task_timeout`, `task_stale`, `lease_lost` or
   * `fleet_closed`. Pass it to whatever the work waits for; work that ignores it is written off after a grace (WO3).
   */
  readonly signal: AbortSignal
  /**
   * Aborts when a limit of a budget was crossed (BU2); its `reason` is a `FleetError` `budget_exceeded` that tells which. Work that
   * returns what it has within the grace (`limits.handBackGraceMs`, default 10 s) has it verified, `partial` at best; work that does
   * not is stopped, and fails. Never aborts without a budget.
   */
  readonly handBack: AbortSignal
  /** What this attempt may spend: the least that the budgets of its task and its run left when it began. Empty without a budget. */
  readonly budgetLeft: FleetTaskBudget
  /** Whether the run's security policy lets the work read several files at a time. */
  readonly allowParallelReads: boolean
  /** Receipts of the attempts before this one, oldest first, so that this one can do better (RE5). */
  readonly previous: readonly FleetReceipt[]
  /** What the tasks in `depends_on` left behind, by task id (SC5). */
  readonly dependencies: Readonly<Record<string, AttemptDependency>>
  /** The secrets that the run allows and this worker may have (SE5). */
  readonly secrets: AttemptSecrets
  /** Absolute path of the attempt's own folder; it exists. */
  readonly folder: string
  /** Absolute path of the task's workspace root (WS1). */
  readonly root: string

  /** Reports that the work waits for a model. Becomes the event `model_wait`. */
  modelWait(model?: string): Promise<void>
  /** Reports a tool call. Becomes the event `running_tool`; calls with the same `callId` count once against the budget (BU1). */
  tool(name: string, callId?: string): Promise<void>
  /** Reports an event of a workflow of the worker's own; any JSON, else `invalid_option`. */
  workflow(workflowRunId: string, event: Json): Promise<void>
  /**
   * Adds tokens to what the task has spent; call it once per response, with what that response cost (BU1). An absent or undefined
   * count is 0, so a model's answer can be passed as it is; what is not a whole number from 0 is refused with `invalid_option`.
   */
  usage(tokens: { readonly inputTokens?: number | undefined; readonly outputTokens?: number | undefined }): Promise<void>
  /**
   * Reports the route to the model. The last one of the attempt completes `resolved_route` of its receipt. Throws `invalid_document` for
   * a text that is missing or that looks like a credential.
   */
  route(route: AttemptRoute): Promise<void>
  /**
   * Hands an artifact to the fleet, and gives the reference that the receipt will carry, with the size and checksum that the fleet
   * computed (AR2). Rejects `artifact_refused` with the reason (AR3, AR4); the attempt goes on. The attempt does not end before
   * the fleet has answered for every artifact.
   */
  artifact(artifact: AttemptArtifact): Promise<FleetArtifactRef>
  /** Adds text to the attempt's log, ending it with a line break. The log is bounded by cutting its middle (AR5). */
  log(text: string): Promise<void>
  /** Waits on the fleet's clock, so that a test with a virtual clock need not wait. Rejects with the signal's reason. */
  delay(ms: number): Promise<void>
  /** Ends the attempt as a `task` failure by throwing. It is retried while attempts remain, unless `retryable` is false (RE3). */
  fail(reason: string, options?: { readonly retryable?: boolean }): never
}
