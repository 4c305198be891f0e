import type { JsonObject } from '../protocol/json.ts'
import type { FleetRuntimeEvent } from '../protocol/event.ts'
import type { FleetEvent, FleetEventName, FleetEventPayloads } from '../protocol/fleet-event.ts'
import { redactShapes } from '../security/redact.ts'

type Publish = { readonly [Name in FleetEventName]: (payload: FleetEventPayloads[Name]) => JsonObject }

const nothing = (): JsonObject => ({})
const reasonLimit = 1_000

/** What of each payload is fit for everybody: no call ids, paths, summaries, or names of people (EV4). A new event needs its row. */
const publish: Publish = {
  'run.created': ({ tasks, workflow }) => ({ task_count: tasks, workflow: workflow && { id: workflow.id, kind: workflow.kind } }),
  'run.status_changed': ({ status }) => ({ status }),
  'run.sealed': nothing,
  'run.stalled': ({ waiting }) => ({ waiting }),
  'task.enqueued': ({ attempts }) => ({ attempts }),
  'task.leased': ({ lease_expires_at }) => ({ lease_expires_at }),
  'task.terminal': ({ status }) => ({ status }),
  'task.receipt_recorded': ({ receipt }) => ({
    attempt: receipt.attempt,
    result: receipt.result,
    failure_kind: receipt.failure_kind,
    score: receipt.score && { value: receipt.score.value, max: receipt.score.max },
    artifact_kinds: receipt.artifacts.map(({ kind }) => kind),
  }),
  'alert.raised': (payload) => ({ class: payload.class }),
  'alert.sent': ({ attempt, action, ...payload }) => ({ attempt, class: payload.class, action }),
  'alert.given_up': ({ action, ...payload }) => ({ class: payload.class, action }),
  'store.failing': nothing,
  'store.recovered': nothing,
  'worker.abandoned': nothing,
  'worker.queued': nothing,
  'worker.leased': ({ lease_expires_at }) => ({ lease_expires_at }),
  'worker.starting': nothing,
  'worker.running': nothing,
  'worker.model_wait': ({ model }) => ({ model }),
  'worker.running_tool': ({ tool }) => ({ tool }),
  'worker.workflow_event': ({ workflow_run_id, event }) => ({ workflow_run_id, type: typeOf(event) }),
  'worker.heartbeat': ({ cpu_percent, memory_mb }) => ({ cpu_percent, memory_mb }),
  'worker.artifact': ({ kind, mime_type, size_bytes }) => ({ kind, mime_type, size_bytes }),
  'worker.completed': ({ exit_code }) => ({ exit_code }),
  'worker.failed': ({ reason, recoverable }) => ({ reason: publicReason(reason), recoverable }),
  'worker.cancelled': nothing,
  'worker.interrupted': nothing,
  'worker.stale': ({ last_heartbeat_at }) => ({ last_heartbeat_at }),
  'worker.restarted': ({ restart_count }) => ({ restart_count }),
  'worker.escalated': ({ channel }) => ({ channel }),
}

/** The form of an event that may leave the host application (EV4); undefined for what concerns no run. */
export function publicEvent(event: FleetEvent): FleetRuntimeEvent | undefined {
  if (event.run_id === '') return undefined
  const { cursor, run_id, task_id, worker_id, timestamp, worker_seq } = event
  // The table pairs each name with its payload.
  const of = publish[event.event] as (payload: FleetEvent['payload']) => JsonObject
  return {
    cursor,
    event: `fleet.${event.event}`,
    run_id,
    ...(worker_id !== undefined && { worker_id }),
    ...(task_id !== undefined && { task_id }),
    timestamp,
    ...(worker_seq !== undefined && { worker_seq }),
    payload: withoutAbsent(of(event.payload)),
  }
}

/** The first line says what kind of failure it was; what follows is what the work wrote, which is nobody's business. */
function publicReason(reason: string): string {
  const redacted = redactShapes(reason.split('\n', 1)[0] ?? '')
  return redacted.length <= reasonLimit ? redacted : `${redacted.slice(0, reasonLimit)}...`
}

/** Of an event of a workflow only its type is told. */
function typeOf(event: unknown): string | undefined {
  const type: unknown = typeof event === 'object' && event !== null ? Reflect.get(event, 'type') : undefined
  return typeof type === 'string' ? type : undefined
}

function withoutAbsent(payload: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined))
}
