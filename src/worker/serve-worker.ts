import { isMainThread, parentPort } from 'node:worker_threads'
import { systemClock } from '../host/clock.ts'
import { type AttemptFolders, createAttemptFolders } from './attempt-folder.ts'
import { runtimeParts, type WorkOptions } from './create-worker-runtime.ts'
import { portConnection } from './port-connection.ts'
import { refusalOf } from './refusal.ts'
import { createRuntime } from './runtime.ts'
import { stdioConnection } from './stdio-connection.ts'

/** Options of {@link serveWorker}. */
export interface ServeWorkerOptions extends WorkOptions {
  /** Leaves when it aborts: what runs is aborted and given back. */
  readonly signal?: AbortSignal
}

/** How long work may take to end once the line has ended, and the process after it. */
const graceMs = 5_000

/**
 * Serves the fleet that started this program (HO1): over the message port in a worker thread, else over standard input and output. Call it
 * once. Handlers are what `createFleet` takes.
 *
 * Over standard input and output, whatever else this process writes to standard output goes to standard error from now on. When the line
 * ends, all attempts are aborted; it resolves when their work has settled. Then nothing of it keeps the process alive, and a
 * process that is still there after 5 s is ended (HO5). Rejects when the fleet refuses this worker, with the fleet's code where it has one of
 * {@link errorCodes}, else `invalid_message`.
 */
export async function serveWorker(options: ServeWorkerOptions): Promise<void> {
  const { signal } = options
  const clock = systemClock()
  const folders = createAttemptFolders()
  const runtime = createRuntime(runtimeParts({ ...options, clock }, folders))
  const leave = () => void runtime.close({ reason: 'the worker was told to leave', graceMs })
  const connection = isMainThread || parentPort === null ? stdioConnection({ clock }) : portConnection(parentPort)
  signal?.addEventListener('abort', leave, { once: true })
  const attached = runtime.attach(connection)
  if (signal?.aborted === true) leave()
  const end = await attached
  signal?.removeEventListener('abort', leave)
  const disarm = clock.alarm(graceMs, () => endWithWork(folders), { keepAlive: true })
  await runtime.done
  disarm()
  // What handlers left behind, a timer or a socket, must not keep a worker alive that nobody talks to.
  clock.alarm(graceMs, () => process.exit(), { keepAlive: false })
  if (end.refused !== undefined) throw refusalOf(end.refused)
}

/** Work that ignores its signal ends with its process. */
function endWithWork(folders: AttemptFolders): void {
  folders.remove()
  process.exit(1)
}
