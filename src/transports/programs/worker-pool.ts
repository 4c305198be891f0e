import type { Clock } from '../../ports/clock.ts'
import type { Files } from '../../ports/files.ts'
import type { Transport } from '../../ports/transport.ts'
import type { WorkerLauncher } from './worker-launcher.ts'
import { loadLaunched } from '../late.ts'

/** How a pool spreads attempts over worker programs. */
export interface PoolOptions {
  /**
   * What the programs serve: tasks that name one of these handlers, and, with `plain`, tasks that name neither a handler nor a command.
   * A program that says that it does not serve them is not taken.
   */
  readonly handlers?: readonly string[]
  readonly plain?: boolean
  /**
   * True: a program serves one attempt after another. False: each attempt has a program of its own, and ends when nothing of that is left; the
   * next program may be started ahead, so that its attempt need not wait for it. Default true.
   */
  readonly reuse?: boolean
  /** How long a program may take from its start to its hello, in milliseconds. Default 30,000. */
  readonly startTimeoutMs?: number
}

/** What a pool takes. */
export interface PoolParts extends PoolOptions {
  readonly launcher: WorkerLauncher
  readonly clock: Clock
  readonly files: Files
}

/**
 * Reaches worker programs that a launcher starts (HO2): as many as the worker has slots, each serving one attempt at a time. One that ignores
 * its stop is killed with all that it started, so its end is always confirmed (WO3); one that is lost costs the attempt that it served, as a
 * `transport` failure, and no other (RE7). What it never accepted is given back (LE8), but not twice in a row: a task that ends its program
 * before that says a word would do so for ever.
 */
export function poolTransport(parts: PoolParts): Transport {
  const { launcher, handlers = [], plain = false } = parts
  return {
    kind: launcher.kind,
    get enforces() {
      return launcher.enforces
    },
    heartbeats: 'worker',
    startsAtOnce: false,
    survives: false,
    serves: { handlers, plain, commands: false },
    async open(launch, { signal }) {
      const { createPool } = await loadLaunched()
      signal.throwIfAborted()
      const pool = createPool(launch, parts)
      await pool.warm(signal)
      return pool.channel
    },
    ...(launcher.reap !== undefined && { reap: (options) => launcher.reap!(options) }),
  }
}
