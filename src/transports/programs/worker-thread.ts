import type { ResourceLimits } from 'node:worker_threads'
import type { Clock } from '../../ports/clock.ts'
import { unconfined } from '../enforcement.ts'
import type { WorkerLauncher } from './worker-launcher.ts'
import { loadLaunched } from '../late.ts'

/** How worker threads are started. */
export interface WorkerThreadOptions {
  /** The module that calls `serveWorker`. */
  readonly file: string | URL
  /** Bounds of each thread's memory; a thread that goes over is ended, and its attempt fails. Default: Node's. */
  readonly resourceLimits?: ResourceLimits
}

/** Starts worker programs as threads of the fleet's process. Nothing confines them (SE2, HO6). */
export function workerThreadLauncher(options: WorkerThreadOptions & { readonly clock: Clock }): WorkerLauncher {
  return {
    kind: 'worker-thread',
    enforces: unconfined('nothing confines a thread'),
    sharesFiles: true,
    startsAhead: true,
    async start(order) {
      const { startThread } = await loadLaunched()
      order.signal.throwIfAborted()
      return startThread(options, order)
    },
  }
}
