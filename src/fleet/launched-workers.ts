import { isAbsolute } from 'node:path'
import type { Transport } from '../ports/transport.ts'
import { FleetError } from '../protocol/errors.ts'
import { systemClock } from '../host/clock.ts'
import { systemEnvironment } from '../host/environment.ts'
import { diskFiles } from '../host/files.ts'
import { childProcessLauncher, type ChildProcessOptions } from '../transports/programs/child-process.ts'
import { poolTransport, type PoolOptions } from '../transports/programs/worker-pool.ts'
import { workerThreadLauncher, type WorkerThreadOptions } from '../transports/programs/worker-thread.ts'

/** Options of {@link childProcesses}. */
export interface ChildProcessWorkerOptions extends ChildProcessOptions, PoolOptions {}

/**
 * Workers that are processes of this machine, as many as the worker has slots: programs that speak the worker protocol over their standard
 * input and output, such as those that call `serveWorker` of `flotilla/worker` (HO2). They are kept warm, or, with `reuse: false`, started for
 * each attempt. Throws `invalid_option`.
 */
export function childProcesses(options: ChildProcessWorkerOptions): Transport {
  const { command, cwd, env, ...pool } = options
  if (
    !Array.isArray(command) ||
    command.length === 0 ||
    !command.every((word) => typeof word === 'string' && !word.includes('\0'))
  )
    throw new FleetError('invalid_option', 'command: expected a program and its arguments, as a list of texts.')
  if (command[0] === '') throw new FleetError('invalid_option', 'command: the program has no name.')
  const clock = systemClock()
  const launcher = childProcessLauncher({
    command,
    clock,
    environment: systemEnvironment(),
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
  })
  return poolTransport({ ...checked(pool), launcher, clock, files: diskFiles() })
}

/** Options of {@link workerThreads}. */
export interface WorkerThreadWorkerOptions extends WorkerThreadOptions, PoolOptions {}

/**
 * Workers that are threads of this process, as many as the worker has slots: modules that call `serveWorker` of `flotilla/worker` (HO2). They
 * are no boundary: nothing confines them. Throws `invalid_option`.
 */
export function workerThreads(options: WorkerThreadWorkerOptions): Transport {
  const { file, resourceLimits, ...pool } = options
  if (typeof file === 'string' && !isAbsolute(file))
    throw new FleetError('invalid_option', `file: expected an absolute path or a file URL, got ${JSON.stringify(file)}.`)
  const clock = systemClock()
  const launcher = workerThreadLauncher({ file, clock, ...(resourceLimits !== undefined && { resourceLimits }) })
  return poolTransport({ ...checked(pool), launcher, clock, files: diskFiles() })
}

/** Throws `invalid_option` for what a pool cannot be. */
export function checked(pool: PoolOptions): PoolOptions {
  const { startTimeoutMs, handlers = [], plain = false } = pool
  if (startTimeoutMs !== undefined && !(startTimeoutMs > 0))
    throw new FleetError('invalid_option', `startTimeoutMs: expected more than 0 milliseconds, got ${startTimeoutMs}.`)
  if (handlers.length === 0 && !plain)
    throw new FleetError('invalid_option', 'handlers: name what the workers serve, or say `plain: true`.')
  return pool
}
