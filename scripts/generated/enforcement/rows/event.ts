import { rowsOf, written, type EnforcementRow } from '../row.ts'

const occur = 'EV6 payload states occur where they belong'
const facts = 'EV6 payloads hold the facts that were reported'
const full = 'EV4 the host application hears each event in full'
const publicForm = 'EV4 the public form is the contract’s'
const pages = 'EV7 pages after a cursor, put together, are the whole'

const told = (...tests: string[]): EnforcementRow => ({ rules: ['EV6'], tests, otherwise: written })

/** What is heard of runs. */
export const eventRows = [
  ...rowsOf('FleetInboxEntry', {
    'run_id task_id priority enqueued_at attempts': {
      rules: ['SC2'],
      tests: ['SC2 LE3 inbox gives each open task'],
      otherwise: written,
    },
    lease_deadline: {
      rules: ['LE3'],
      tests: ['SC2 LE3 inbox gives each open task'],
      otherwise: 'left out where nothing is leased, and in other processes than the fleet’s own',
    },
  }),
  ...rowsOf('FleetWorkerEvent', {
    seq: { rules: ['EV1'], tests: ['EV1 worker events have their own seq per worker, run and task'], otherwise: written },
    worker_id: {
      rules: ['EV1', 'EV4'],
      tests: ['EV1 what the fleet reports before any worker has the task carries the worker id fleet', full],
      otherwise: written,
    },
    'run_id task_id timestamp': { rules: ['EV4'], tests: [full], otherwise: written },
    extra: {
      rules: ['WI3'],
      tests: ['WI3 an empty extra is left out of an event, any other is kept'],
      otherwise: 'always possible: what another writer left there is kept',
    },
  }),
  ...rowsOf('FleetWorkerEventPayload', {
    queued: told(occur, 'EV6 queued is said at every enqueuing'),
    leased: told(occur),
    'leased.lease_expires_at': { rules: ['LE3'], tests: ['LE3 presence is volatile'], otherwise: written },
    'starting running': told(occur),
    'model_wait model_wait.model running_tool running_tool.tool running_tool.call_id': told(occur, facts),
    'workflow_event workflow_event.workflow_run_id workflow_event.event': told(occur, facts),
    'heartbeat heartbeat.cpu_percent heartbeat.memory_mb': told('EV6 heartbeat is said live', facts),
    'artifact artifact.kind artifact.path artifact.checksum artifact.mime_type artifact.size_bytes': told(
      'EV6 heartbeat is said live',
      facts,
    ),
    'completed completed.exit_code completed.summary': told(occur, facts),
    failed: told(occur),
    'failed.reason failed.recoverable': {
      rules: ['RE3'],
      tests: ['RE3 only an explicit recoverable: false is final'],
      otherwise: written,
    },
    'cancelled cancelled.cancelled_by interrupted interrupted.signal': told(occur),
    stale: told(occur),
    'stale.last_heartbeat_at': told('EV6 a stale event tells when the attempt was last heard of'),
    'restarted restarted.restart_count': { rules: ['LE9'], tests: ['LE9 restarted{restart_count} is said'], otherwise: written },
  }),
  ...rowsOf('FleetRuntimeEvent', {
    cursor: { rules: ['EV4', 'EV7'], tests: [publicForm, 'EV7 a cursor is opaque, at most 96 characters'], otherwise: written },
    event: { rules: ['EV4'], tests: [publicForm], otherwise: written },
    'run_id worker_id task_id timestamp worker_seq': {
      rules: ['EV4'],
      tests: ['EV4 the public form says of what, by whom and when, as the full one does'],
      otherwise: written,
    },
    payload: {
      rules: ['EV4'],
      tests: ['EV4 what leaves the host holds no call id, path, summary'],
      control: ['EV4 the host application hears everything'],
      otherwise: 'always possible: what is not on the list stays inside',
    },
  }),
  ...rowsOf('FleetEventReplay', {
    'run_id history_truncated next_cursor': {
      rules: ['EV7'],
      tests: ['EV7 replay without a cursor gives the newest tail'],
      otherwise: written,
    },
    'events has_more': { rules: ['EV7'], tests: [pages], otherwise: written },
  }),
]
