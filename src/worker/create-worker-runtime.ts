import { systemClock } from '../host/clock.ts'
import { diskFiles } from '../host/files.ts'
import { makeFolder } from '../host/make-folder.ts'
import type { Clock } from '../ports/clock.ts'
import { FleetError } from '../protocol/errors.ts'
import { type AttemptFolders, createAttemptFolders } from './attempt-folder.ts'
import type { PlainHandler } from './handler.ts'
import { type Handlers, taskHandlers } from './handlers.ts'
import type { RuntimeIdentity } from './hello.ts'
import { createRuntime, type RuntimeParts, type WorkerRuntime } from './runtime.ts'
import { createVitals } from './vitals.ts'

/** What a worker does, and how much of it. */
export interface WorkOptions {
  /** Functions that do tasks, by name, as `createFleet` takes them. */
  readonly handlers?: Handlers
  /** A function for tasks that name neither a handler nor a command. */
  readonly run?: PlainHandler
  /** What it can do; a task that asks for more goes elsewhere (SC3). */
  readonly capabilities?: readonly string[]
}

/** Options of {@link createWorkerRuntime}. */
export interface WorkerRuntimeOptions extends WorkOptions, RuntimeIdentity {
  /** True: it outlives its connections, and keeps what the fleet did not acknowledge (HO7). Default: false. */
  readonly resumes?: boolean
  /** Where the folders of attempts are made when the fleet's files are not seen. Default: the system's folder for temporary files. */
  readonly folder?: string
  /** Time. Default: the machine's. */
  readonly clock?: Clock
}

/**
 * Creates a worker that speaks over whatever connection it is given: `attach` it to one, and to the next when that one has ended. Throws
 * `invalid_option` for a worker that does nothing.
 */
export function createWorkerRuntime(options: WorkerRuntimeOptions): WorkerRuntime {
  return createRuntime(runtimeParts(options, createAttemptFolders(options.folder)))
}

/** What a runtime stands on, on this machine. */
export function runtimeParts(options: WorkerRuntimeOptions, folders: AttemptFolders): RuntimeParts {
  const { clock = systemClock(), handlers = {}, run, resumes = false } = options
  if (Object.keys(handlers).length === 0 && run === undefined) {
    throw new FleetError(
      'invalid_option',
      'The worker has neither handlers nor run, so it could do nothing. Give it one of them.',
    )
  }
  const plain = run
  return {
    ...options,
    ...{ plain, resumes, clock, folders, makeFolder },
    handlers: taskHandlers(handlers),
    files: diskFiles(),
    vitals: createVitals(clock),
  }
}
