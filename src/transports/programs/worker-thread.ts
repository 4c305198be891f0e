import { once } from 'node:events'
import { Worker, type ResourceLimits } from 'node:worker_threads'
import type { Clock } from '../../ports/clock.ts'
import type { ConnectionListener, WorkerConnection } from '../../ports/worker-connection.ts'
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
  const early: string[] = []
  let listener: ConnectionListener | undefined
  let ended: string | undefined
  const gone = new AbortController()
  const end = (reason: string) => {
    if (ended !== undefined) return
    ended = reason
    listener?.end(reason)
  }
  for (const stream of [thread.stdout, thread.stderr]) {
    const lines = createLineReader({ limit: lineLimit, emit: log })
    stream.on('data', lines.write).on('end', lines.end)
  }
  thread.on('message', (line: unknown) => {
    const text = typeof line === 'string' ? line : JSON.stringify(line)
    if (listener === undefined) early.push(text)
    else listener.line(text)
  })
  thread.on('messageerror', () => end('it sent what cannot be read'))
  let thrown: string | undefined
  thread.on('error', (error: unknown) => (thrown = error instanceof Error ? error.message : String(error)))
  thread.on('exit', (code) => {
    gone.abort()
    end(thrown === undefined ? `the thread ended with code ${code}` : `the thread died: ${thrown}`)
  })
  return {
    send: (line) => thread.postMessage(line),
    listen(hearing) {
      listener = hearing
      for (const line of early.splice(0)) hearing.line(line)
      if (ended !== undefined) hearing.end(ended)
    },
    close: end,
    gone: gone.signal,
  }
}
