import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import type { Clock } from '../../ports/clock.ts'
import { Bell } from '../bell.ts'

export interface WatchOptions {
  readonly clock: Clock
  /** A change may go unnoticed by the watch: look this often in any case. */
  readonly everyMs: number
  readonly keepAlive: boolean
  readonly signal: AbortSignal
}

/** Yields at once, then whenever something in the folder may have changed, until `signal` aborts. The folder may come into being later. */
export async function* folderChanges(folder: string, { clock, everyMs, keepAlive, signal }: WatchOptions): AsyncGenerator<void> {
  const bell = new Bell()
  let hasChanged = false
  const onChange = () => {
    hasChanged = true
    bell.ring()
  }
  let watcher = startWatch(folder, keepAlive, onChange)
  try {
    while (!signal.aborted) {
      hasChanged = false
      yield
      if (!hasChanged) await firstOf(bell, clock, everyMs, keepAlive, signal)
      watcher ??= startWatch(folder, keepAlive, onChange)
    }
  } finally {
    watcher?.close()
  }
}

/** Resolves at the bell's ring, after `ms`, or when `signal` aborts; leaves nothing behind. */
async function firstOf(bell: Bell, clock: Clock, ms: number, keepAlive: boolean, signal: AbortSignal | undefined): Promise<void> {
  const done = new AbortController()
  const stop = () => done.abort()
  signal?.addEventListener('abort', stop)
  if (signal?.aborted !== true) await Promise.race([bell.wait(done.signal), clock.sleep(ms, { signal: done.signal, keepAlive })])
  signal?.removeEventListener('abort', stop)
  done.abort()
}

function startWatch(folder: string, keepAlive: boolean, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: keepAlive }, onChange)
    // The looks go on without it.
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}
