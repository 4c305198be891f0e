import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../ports/clock.ts'
import type { WorkerConnection } from '../../ports/worker-connection.ts'
import { createConnectionRelay } from '../connection-relay.ts'
import { createLineReader } from '../line-reader.ts'
import type { LaunchOrder, StartedWorker } from './worker-launcher.ts'
import type { WorkerThreadOptions } from './worker-thread.ts'

/** Characters of one line of what a thread prints (HO4). */
const lineLimit = 1024 * 1024

/** Starts a module as a thread of this process. Rejects with what it threw when it does not come up. */
export async function startThread(
  { file, resourceLimits, clock }: WorkerThreadOptions & { readonly clock: Clock },
  { log, signal }: Pick<LaunchOrder, 'log' | 'signal'>,
): Promise<StartedWorker> {
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
