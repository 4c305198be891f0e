import { once } from 'node:events'
import { Worker, type ResourceLimits } from 'node:worker_threads'
import type { Clock } from '../../ports/clock.ts'
import type { WorkerConnection } from '../../ports/worker-connection.ts'
import { createConnectionRelay } from '../connection-relay.ts'
import { createLineReader } from '../line-reader.ts'
import type { WorkerLauncher } from './worker-launcher.ts'

/** How worker threads are started. */
export interface WorkerThreadOptions {
  /** The module that calls `serveWorker`. */
  readonly file: string | URL
  /** Bounds of each thread's memory; a thread that goes over is ended, and its attempt fails. Default: Node's. */
  readonly resourceLimits?: ResourceLimits
}

/** Characters of one line of what a thread prints (HO4). */
const lineLimit = 1024 * 1024

/** Starts worker programs as threads of the fleet's process. Nothing confines them (SE2, HO6). */
export function workerThreadLauncher(options: WorkerThreadOptions & { readonly clock: Clock }): WorkerLauncher {
  const { file, resourceLimits, clock } = options
  return {
    kind: 'worker-thread',
    enforces: { network: false, fileWrites: false, environment: false, processes: false, because: 'nothing confines a thread' },
    sharesFiles: true,
    startsAhead: true,
    async start({ log, signal }) {
      signal.throwIfAborted()
      // Its variables are its own copy: what a handler sets does not reach the fleet.
      const thread = new Worker(file, { stdin: false, stdout: true, stderr: true, ...(resourceLimits && { resourceLimits }) })
      const connection = threadConnection(thread, log)
      await once(thread, 'online', { signal }).catch(async (error: unknown) => {
        await thread.terminate()
        throw error
      })
      return {
        connection,
        async stop(graceMs) {
          if (graceMs > 0) await clock.sleep(graceMs, { signal: connection.gone })
          await thread.terminate()
        },
      }
    },
  }
}

function threadConnection(thread: Worker, log: (text: string) => void): WorkerConnection & { readonly gone: AbortSignal } {
  const relay = createConnectionRelay()
  const gone = new AbortController()
  for (const stream of [thread.stdout, thread.stderr]) {
    const lines = createLineReader({ limit: lineLimit, emit: log })
    stream.on('data', lines.write).on('end', lines.end)
  }
  thread.on('message', (line: unknown) => relay.line(typeof line === 'string' ? line : JSON.stringify(line)))
  thread.on('messageerror', () => relay.end('it sent what cannot be read'))
  let thrown: string | undefined
  thread.on('error', (error: unknown) => (thrown = error instanceof Error ? error.message : String(error)))
  thread.on('exit', (code) => {
    gone.abort()
    relay.end(thrown === undefined ? `the thread ended with code ${code}` : `the thread died: ${thrown}`)
  })
  return {
    send: (line) => thread.postMessage(line),
    listen: relay.listen,
    close: relay.end,
    gone: gone.signal,
  }
}
