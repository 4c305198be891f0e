import { z } from 'zod'
import { artifactShape } from './artifact.ts'
import { contract, type ValueOf } from './codec.ts'
import { f64, field, filled, flag, i32, json, object, optional, pattern, timestamp, token, u32, u64 } from './field.ts'
import { FleetRunId } from './ids.ts'

/** A task that waits for a worker. */
export const FleetInboxEntry = contract('FleetInboxEntry', () =>
  object({
    run_id: FleetRunId.schema,
    task_id: token(),
    /** Lower runs first (SC2). */
    priority: i32(),
    enqueued_at: timestamp(),
    lease_deadline: optional(timestamp()),
    attempts: u32().default(0),
  }),
)
export type FleetInboxEntry = ValueOf<typeof FleetInboxEntry>

/** The payloads of worker events, each between the fields of an envelope (EV6). */
function payloads<Before extends z.ZodRawShape, After extends z.ZodRawShape>(before: Before, after: After) {
  const payload = <State extends string, Shape extends z.ZodRawShape>(state: State, shape: Shape) =>
    object({ ...before, state: z.literal(state), ...shape, ...after })

  return [
    payload('queued', {}),
    payload('leased', { lease_expires_at: optional(timestamp()) }),
    payload('starting', {}),
    payload('running', {}),
    payload('model_wait', { model: optional(z.string()) }),
    payload('running_tool', { tool: z.string(), call_id: optional(z.string()) }),
    payload('workflow_event', { workflow_run_id: z.string(), event: json() }),
    payload('heartbeat', { cpu_percent: optional(f64()), memory_mb: optional(u64()) }),
    payload('artifact', artifactShape()),
    payload('completed', { exit_code: optional(i32()), summary: optional(z.string()) }),
    payload('failed', { reason: z.string(), recoverable: flag().default(false) }),
    payload('cancelled', { cancelled_by: optional(z.string()) }),
    payload('interrupted', { signal: optional(z.string()) }),
    payload('stale', { last_heartbeat_at: optional(timestamp()) }),
    payload('restarted', { restart_count: u32().default(0) }),
    payload('escalated', { channel: z.string(), alert_id: optional(z.string()) }),
  ] as const
}

/** What happened to an attempt; `state` tells which of sixteen things (EV6). */
export const FleetWorkerEventPayload = contract('FleetWorkerEventPayload', () => z.discriminatedUnion('state', payloads({}, {})))
export type FleetWorkerEventPayload = ValueOf<typeof FleetWorkerEventPayload>

const envelope = () => ({
  /** Counts per worker, run and task, from 1 (EV1). */
  seq: u64(),
  run_id: FleetRunId.schema,
  /** `fleet` for what the fleet reports before any worker has the task. */
  worker_id: token(),
  task_id: token(),
  timestamp: timestamp(),
})

/** Left out when empty. */
const extra = () =>
  z
    .record(z.string(), json())
    .transform((members) => (Object.keys(members).length === 0 ? undefined : members))
    .optional()

/** A payload with who, where and when beside it, in one flat object (EV1). */
export const FleetWorkerEvent = contract('FleetWorkerEvent', () =>
  z.discriminatedUnion('state', payloads(envelope(), { extra: extra() })),
)
export type FleetWorkerEvent = ValueOf<typeof FleetWorkerEvent>

const cursor = field(() => pattern('a cursor of 1 to 96 characters of A-Z a-z 0-9 _', /^[A-Za-z0-9_]{1,96}$/))

/** What a client outside may hear: a name, where it stands, and the facts that are fit for everybody (EV4, EV7). */
export const FleetRuntimeEvent = contract('FleetRuntimeEvent', () =>
  object({
    cursor: cursor(),
    event: filled(),
    run_id: FleetRunId.schema,
    worker_id: optional(token()),
    task_id: optional(token()),
    timestamp: optional(timestamp()),
    worker_seq: optional(u64()),
    payload: json(),
  }),
)
export type FleetRuntimeEvent = ValueOf<typeof FleetRuntimeEvent>

/** A page of a run's events (EV7). */
export const FleetEventReplay = contract('FleetEventReplay', () =>
  object({
    run_id: FleetRunId.schema,
    events: z.array(FleetRuntimeEvent.schema),
    has_more: flag().default(false),
    /** True for the newest tail of a longer history. */
    history_truncated: flag().default(false),
    next_cursor: optional(cursor()),
  }),
)
export type FleetEventReplay = ValueOf<typeof FleetEventReplay>
