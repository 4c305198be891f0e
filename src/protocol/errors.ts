/** What a code means, and whether the same call may succeed later without a change by the caller. */
export interface ErrorCodeRow {
  readonly meaning: string
  readonly action: string
  readonly retryable: boolean
}

/**
 * Every code that a {@link FleetError} may carry. Codes are stable: a program may branch on them. `docs/errors.md` is made from
 * this table.
 */
export const errorCodes = {
  invalid_document: row('A document does not fit the contract.', 'Mend every problem that the message lists.'),
  invalid_option: row('An option of the library has a value that it cannot have.', 'Pass a value that the message names.'),
  usage: row('A command line was not understood.', 'See `flotilla help`.'),
  unreadable_file: row('A file could not be read.', 'Check the path and its permissions.'),
  too_large: row('An input is over its limit of size or depth.', 'Make it smaller, or split it.'),
  unenforceable: row(
    'A field asks for something that cannot be enforced here, so it is refused.',
    'Change the field that the message names.',
  ),
  unsupported_target: row(
    'The run names a target that no worker here can be.',
    'Leave `target` out, or name one that has workers.',
  ),
  impossible_task: row('No registered worker could ever take a task.', 'Register a worker that can, or change the task.'),
  unknown_run: row('No run has this id in this store.', 'List the runs with `fleet.runs()` or `flotilla list`.'),
  unknown_task: row('The run has no task with this id.', 'List the tasks with `run.spec()` or `flotilla status RUN`.'),
  unknown_worker: row('No worker has this id.', 'List the workers with `fleet.workers()`.'),
  unknown_handler: row('A run needs a handler that no worker serves.', 'Pass it in `handlers`, or with `--worker`.'),
  run_exists: row('A run with this id exists, or existed, in this store.', 'Leave the id out, or choose another.'),
  run_conflict: row('The idempotency key belongs to a run with another spec.', 'Use another key, or pass the same spec.'),
  run_sealed: row('The run takes no more tasks.', 'Create it with `open: true`, and add before `seal()`.'),
  run_open: row('The run has not ended.', 'Wait for its end, or cancel it first.'),
  run_not_started: row('The run has not been started.', 'Call `run.start()` first.'),
  run_not_completed: row('The run ended, but not every task completed.', 'Look at `result.failures`, or at the receipts.'),
  refused: row(
    'A lifecycle does not accept this step from its present state; nothing changed.',
    'Look at the state that the message names.',
  ),
  not_settleable: row(
    'The task has no partial verdict that could be settled.',
    'Settle a task whose receipt is `partial`, once.',
  ),
  lease_lost: row('The attempt no longer holds the lease of its task.', 'Stop working on it; another attempt may be running.'),
  task_cancelled: row('The task was cancelled while the attempt ran.', 'Stop working on it.'),
  task_timeout: row('The attempt ran longer than `timeout_seconds`.', 'Allow more time, or make the work shorter.'),
  budget_exceeded: row(
    'A limit of the budget of a task or a run was crossed.',
    'Hand back what there is; give new work a larger budget.',
  ),
  task_stale: row(
    'Nothing was heard of the attempt for longer than its lease.',
    'Look at the worker; the task is retried while attempts remain.',
  ),
  fleet_closed: row('The fleet is closed, or closing.', 'Create a new fleet.'),
  store_owned: row('Another process owns this store.', 'Stop it, wait for it, or send it a command with the command line.'),
  store_conflict: row('Another owner took the store or the run over; this one is fenced out.', 'Close this fleet.'),
  store_failing: row(
    'The store cannot be written at the moment; nothing was stored.',
    'Try again when `store.recovered` is announced.',
    true,
  ),
  not_stored: row(
    'The store refused an append; nothing of it was stored.',
    'Mend the cause that the message names, then try again.',
    true,
  ),
  outcome_unknown: row('An append was cut off; it may be stored or not.', 'Read the run to learn which.', true),
  store_damaged: row(
    'A stored line or document does not read as it was written.',
    'Restore it from a copy; the message names file, line and byte.',
  ),
  store_too_new: row('The store was written by a newer version.', 'Upgrade flotilla; nothing was changed.'),
  cursor_unavailable: row(
    'The cursor names an event that this run does not have, or no longer has.',
    'Read again without a cursor.',
  ),
  artifact_refused: row(
    'An artifact was refused; the attempt goes on.',
    'See the reason: its path, its size, its kind of file, or its checksum.',
  ),
  posted_not_taken: row(
    'The command was posted, but the owner has not taken it yet.',
    'It will be taken when the owner is able; look at the run later.',
    true,
  ),
  invalid_output: row(
    'A handler returned something that is not JSON, or that its output schema refuses.',
    'Return what the schema describes.',
  ),
  secret_unresolved: row(
    'A secret could not be resolved, or was not handed to this attempt.',
    'See the reason; name the secret in `allowed_secrets`, and its source in `secrets`.',
  ),
  invalid_message: row(
    'What a worker sent is no message of the protocol, or comes where it may not; nothing of it was taken.',
    'Mend the worker; the reason says what was expected.',
  ),
  unauthenticated: row(
    'A worker did not prove who it is.',
    'Give it the token that the fleet expects of its id, or mend `verify`.',
  ),
  unsuited_worker: row(
    'A worker does not serve what it is registered for.',
    'Change what it serves, or how it is registered; the message names what is lacking.',
  ),
  handler_unresponsive: row(
    'A handler did not end after its signal was aborted.',
    'Pass `attempt.signal` to whatever the handler waits for.',
  ),
} as const satisfies Record<string, ErrorCodeRow>

/** The stable code of a {@link FleetError}. */
export type FleetErrorCode = keyof typeof errorCodes

/** What a {@link FleetError} may carry besides its message. */
export interface FleetErrorOptions {
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/**
 * The one error class of the package. The message says what happened, why, and what to do; `code` is stable; `details` holds the
 * facts that a program may want; `retryable` says whether the same call may succeed later.
 */
export class FleetError extends Error {
  readonly code: FleetErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: FleetErrorCode, message: string, options: FleetErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'FleetError'
    this.code = code
    this.details = options.details ?? {}
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable
  }

  /** Whether a caught value is a FleetError, of the given code when one is named. */
  static is(value: unknown, code?: FleetErrorCode): value is FleetError {
    return value instanceof FleetError && (code === undefined || value.code === code)
  }
}

function row(meaning: string, action: string, retryable = false): ErrorCodeRow {
  return { meaning, action, retryable }
}
