import type { FleetEventName, FleetEventPayloads } from 'flotilla'

type Rows = {
  readonly [Name in FleetEventName]: {
    readonly when: string
    /** What each field of the payload holds; the compiler asks for every one of them, and for no other. */
    readonly payload: { readonly [Field in keyof FleetEventPayloads[Name] as string extends Field ? never : Field]-?: string }
    /** Announced, but not recorded: it has no sequence and is not replayed (EV1). */
    readonly live?: true
  }
}

const rows: Rows = {
  'run.created': {
    when: 'A run was created, whole.',
    payload: { name: 'its name', tasks: 'how many tasks it has', workflow: 'the workflow that it belongs to' },
  },
  'run.status_changed': { when: 'The run machine made a step.', payload: { status: 'the new status' } },
  'run.sealed': { when: 'An open run takes no more tasks.', payload: {} },
  'run.stalled': {
    when: 'Nothing of the run runs, waits for time or a verdict, or could be leased to a registered worker (RU10).',
    payload: { waiting: 'ids of the tasks that no worker can take' },
    live: true,
  },
  'task.enqueued': { when: 'A task may be leased.', payload: { attempts: 'attempts so far' } },
  'task.leased': { when: 'A worker got a lease.', payload: { lease_expires_at: 'when it ends unless the attempt is heard of' } },
  'task.terminal': {
    when: 'A task ended.',
    payload: { status: '`completed`, `failed` or `cancelled`', cause: 'the dependency, or who asked, when it was cancelled' },
  },
  'task.receipt_recorded': {
    when: 'An attempt ended with a receipt, or a verdict was settled.',
    payload: {
      result: '`pass`, `partial`, `fail`, `skip` or `timeout`',
      failure_kind: '`transport`, `task` or `verifier`',
      receipt: 'the whole receipt',
    },
  },
  'alert.raised': {
    when: 'Something that a person may want to know of happened.',
    payload: { class: 'one of the six alert classes' },
  },
  'alert.sent': {
    when: 'A channel took an alert (AL2).',
    payload: {
      class: 'one of the six alert classes',
      channel: '`slack`, `webhook` or `pager_duty`',
      alert_id: 'its id, the same at every delivery',
      action: '`trigger`; `resolve`: the cause has ended',
      attempt: 'the attempt that it tells of',
    },
  },
  'alert.given_up': {
    when: 'An alert was delivered to no avail as often as it may be, or can never be delivered.',
    payload: {
      class: 'one of the six alert classes',
      channel: '`slack`, `webhook` or `pager_duty`',
      alert_id: 'its id',
      action: '`trigger` or `resolve`',
      reason: 'why the last delivery failed',
      tries: 'how many there were',
    },
  },
  'store.failing': {
    when: 'An append failed; leasing waits until the store is back.',
    payload: { reason: 'what the store said' },
    live: true,
  },
  'store.recovered': { when: 'Appends succeed again.', payload: {}, live: true },
  'worker.queued': { when: 'A task waits for a worker. Reported by `fleet`.', payload: {} },
  'worker.leased': {
    when: 'The worker has the lease.',
    payload: { lease_expires_at: 'when it ends unless the attempt is heard of' },
  },
  'worker.starting': { when: 'The attempt is being prepared.', payload: {} },
  'worker.running': { when: 'The work has begun.', payload: {} },
  'worker.model_wait': { when: 'The work waits for a model.', payload: { model: 'which one' } },
  'worker.running_tool': { when: 'The work calls a tool.', payload: { tool: 'its name', call_id: 'names the call' } },
  'worker.workflow_event': {
    when: 'The worker reports an event of a workflow of its own.',
    payload: { workflow_run_id: 'its id', event: 'any JSON' },
  },
  'worker.heartbeat': {
    when: 'The attempt is alive.',
    payload: { cpu_percent: 'as the worker reports it', memory_mb: 'as the worker reports it' },
    live: true,
  },
  'worker.artifact': {
    when: 'The fleet collected an artifact, or the log.',
    payload: {
      kind: '`log`, `report`, … or a kind of your own',
      path: 'its name',
      checksum: '`sha256:…`, computed by the fleet',
      mime_type: 'as the worker said',
      size_bytes: 'computed by the fleet',
    },
  },
  'worker.completed': {
    when: 'The work ended by itself; its scorer decides next.',
    payload: { exit_code: 'of a command', summary: 'its last line' },
  },
  'worker.failed': { when: 'The work failed.', payload: { reason: 'why', recoverable: 'false: no retry helps' } },
  'worker.cancelled': { when: 'The task was cancelled.', payload: { cancelled_by: 'who asked' } },
  'worker.interrupted': { when: 'A live attempt was stopped, or its lease was given back.', payload: { signal: 'why' } },
  'worker.stale': {
    when: 'Nothing was heard of the attempt for longer than its lease.',
    payload: { last_heartbeat_at: 'when it was last heard of' },
  },
  'worker.restarted': {
    when: 'An attempt begins that is not the first.',
    payload: { restart_count: 'how many of them there were' },
  },
  'worker.escalated': { when: 'An alert was delivered.', payload: { channel: 'where to', alert_id: 'its id' } },
  'worker.abandoned': {
    when: 'A handler ignored its signal and was written off (WO3).',
    payload: { reason: 'what it was told' },
    live: true,
  },
}

/** Every event by name, with the fields of its payload. */
export function eventTable(): string {
  const lines = Object.entries(rows).map(([name, { when, payload, live }]) => {
    const fields = Object.entries(payload).map(([field, holds]) => `\`${field}\`: ${String(holds)}`)
    return `| \`${name}\` | ${when} | ${fields.join('; ') || '–'} | ${live === true ? 'live only' : 'recorded'} |`
  })
  return ['| event | when | payload | |', '|---|---|---|---|', ...lines].join('\n')
}
