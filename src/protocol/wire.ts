import type { FleetReceipt } from './receipt.ts'
import type { FleetTaskBudget, FleetTaskSpec } from './task.ts'
import type { FleetArtifactRef } from './artifact.ts'
import type { FleetErrorCode } from './errors.ts'
import type { RouteReport } from './route.ts'
import type { Json } from './json.ts'
import type { FleetTrustLevel } from './security.ts'

/** Names one lease. The attempt number is its fence: what carries another number than the live one changes no task (LE2). */
export interface AttemptKey {
  readonly run_id: string
  readonly task_id: string
  readonly attempt: number
}

/** What a worker says of an attempt. */
interface Said extends AttemptKey {
  /**
   * Numbers what is said of the attempt, growing; set where a worker says it again when it does not know whether it was heard (HO7). What
   * has the number of something that was kept is a repeat.
   */
  readonly seq?: number
}

/** What a dependency left behind, as its dependants see it (SC5). */
export interface DependencyResult {
  readonly task_id: string
  readonly receipt: FleetReceipt
}

/** The operating system's process that serves an attempt, recorded so that a later fleet can end it (LE6). */
export interface ProcessRecord {
  /** Process group id; the leader's pid. */
  readonly group: number
  /** Start time of the leader as the platform counts it, so that a reused pid is told apart. */
  readonly started: string
}

/** What whoever runs an attempt must keep it to (SE2): no network, no writes but to its own folder, and no more than it is told here. */
export interface Confinement {
  /** The network was granted (SE4). */
  readonly network: boolean
  /** Paths in the workspace root that it may write besides its own folder, relative to it; `.` for all of it (SE4, WS4). */
  readonly writable_paths: readonly string[]
}

/** The fleet gives a worker an attempt. */
export interface AssignMessage extends AttemptKey {
  readonly type: 'assign'
  readonly task: FleetTaskSpec
  /** Receipts of the attempts before this one, oldest first (RE5). */
  readonly previous: readonly FleetReceipt[]
  readonly dependencies: readonly DependencyResult[]
  /** Absolute path of the attempt's own folder; whoever needs it makes it. */
  readonly folder: string
  /** Absolute path of the task's workspace root (WS1). */
  readonly root: string
  /** Names from `workspace.environment.allowlist` and `required` that are set, with their values; for hosts that start processes (WS3). */
  readonly environment: Readonly<Record<string, string>>
  /**
   * The secrets that the attempt was granted, by key; left out when there are none. This message is the only one that holds them, and it
   * is stored nowhere (SE5).
   */
  readonly secrets?: Readonly<Record<string, string>>
  readonly allow_parallel_reads: boolean
  /** What the attempt may still spend: the least that the budgets of its task and its run leave (BU2). Absent without a budget. */
  readonly budget_left?: FleetTaskBudget
  /** The level that the attempt runs at (SE1). */
  readonly trust_level: FleetTrustLevel
  /** Absent: it is confined to nothing. */
  readonly confined?: Confinement
}

/**
 * A limit of the budget was crossed: whoever answers with a `result` within the grace has it verified, `partial` at best (BU2). After the
 * grace comes a `stop`.
 */
export interface HandBackMessage extends AttemptKey {
  readonly type: 'hand_back'
  /** Which limit, and what was spent. */
  readonly reason: string
  readonly grace_ms: number
}

/** The fleet wants an attempt to end. The worker answers `stopped` once nothing of it runs any more. */
export interface StopMessage extends AttemptKey {
  readonly type: 'stop'
  readonly code: FleetErrorCode
  readonly reason: string
  /** How long the work may take to end by itself. */
  readonly grace_ms: number
}

/** The fleet's answer to an artifact report: the reference as recorded, or why it was refused (AR2–AR4). */
export interface CollectedMessage extends AttemptKey {
  readonly type: 'collected'
  readonly report: number
  readonly artifact?: FleetArtifactRef
  readonly refused?: string
}

/** What the fleet says to a worker. */
export type ToWorker = AssignMessage | HandBackMessage | StopMessage | CollectedMessage

/** The first message of a worker's incarnation, with the attempts that it still runs (WO1). */
export interface HelloMessage {
  readonly type: 'hello'
  readonly worker_id: string
  /** Changes at each start of the worker. */
  readonly incarnation: string
  readonly attempts: readonly AttemptKey[]
}

/** The worker has begun the attempt. */
export interface AcceptedMessage extends Said {
  readonly type: 'accepted'
  readonly process?: ProcessRecord
}

export interface HeartbeatMessage extends Said {
  readonly type: 'heartbeat'
  readonly cpu_percent?: number
  readonly memory_mb?: number
}

/** Progress that is kept as a worker event (EV6). */
export type ProgressEvent =
  | { readonly state: 'model_wait'; readonly model?: string }
  | { readonly state: 'running_tool'; readonly tool: string; readonly call_id?: string }
  | { readonly state: 'workflow_event'; readonly workflow_run_id: string; readonly event: Json }

export interface ProgressMessage extends Said {
  readonly type: 'progress'
  readonly event: ProgressEvent
}

/** Tokens spent since the last report. */
export interface UsageMessage extends Said {
  readonly type: 'usage'
  readonly input_tokens: number
  readonly output_tokens: number
}

/** What the worker knows of the route to its model; the last one of an attempt counts. */
export interface RouteMessage extends Said {
  readonly type: 'route'
  readonly route: RouteReport
}

/** Text that the work wrote. */
export interface LogMessage extends Said {
  readonly type: 'log'
  readonly text: string
}

/** The work left something: a file by path, or bytes. Size and checksum are the worker's claim, checked by the fleet (AR2). */
export interface ArtifactMessage extends Said {
  readonly type: 'artifact'
  /** Numbers the reports of one attempt, so that the answer finds its caller. */
  readonly report: number
  readonly kind: string
  /** Relative to the attempt's folder or to the workspace root; with `bytes`, the name to record. */
  readonly path: string
  readonly bytes?: Uint8Array
  readonly mime_type?: string
  readonly checksum?: string
  readonly size_bytes?: number
}

/** The work ended by itself. The last message of an attempt: nothing of it runs any more. */
export interface ResultMessage extends Said {
  readonly type: 'result'
  readonly exit_code?: number
  readonly summary?: string
  readonly output?: Json
  /** True when an output schema accepted `output` (VE8). */
  readonly schema_accepted?: boolean
  /** Absolute path of a folder of this machine that holds what the task's scorer reads, where the root of the work is elsewhere (VE2). */
  readonly evidence_root?: string
}

/** The work failed. The last message of an attempt: nothing of it runs any more. */
export interface FailedMessage extends Said {
  readonly type: 'failed'
  readonly reason: string
  /** `transport`: the attempt never got a verdict from its work; `task`: the work itself failed (RE7). */
  readonly failure_kind: 'transport' | 'task'
  readonly exit_code?: number
  /** Only an explicit false makes the failure final (RE3). */
  readonly recoverable?: boolean
}

/** After a `stop`, or when the host gave up the attempt: nothing of it runs any more (WO3). */
export interface StoppedMessage extends Said {
  readonly type: 'stopped'
  /** Why the host could not give the work what it needs, through no fault of the task: the attempt is released (LE8). */
  readonly released?: string
}

/** What a worker says of one of its attempts. */
export type AttemptMessage =
  | AcceptedMessage
  | HeartbeatMessage
  | ProgressMessage
  | UsageMessage
  | RouteMessage
  | LogMessage
  | ArtifactMessage
  | ResultMessage
  | FailedMessage
  | StoppedMessage

/** The worker takes no more attempts; what runs goes on. Its next hello takes it back. */
export interface DrainMessage {
  readonly type: 'drain'
}

/** What a worker says to the fleet. */
export type FromWorker = HelloMessage | DrainMessage | AttemptMessage
