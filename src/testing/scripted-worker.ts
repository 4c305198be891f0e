import type { FleetTaskSpec } from '../protocol/task.ts'
import type { AttemptContext } from '../worker/attempt.ts'
import { script } from './script.ts'
import type { Script } from './script.ts'

/** What an attempt does: a script, or a handler as the fleet's own workers run them. */
export type Play = Script | ((attempt: AttemptContext) => unknown)

/** Facts of a scripted worker; what is left out is as for every worker. */
export interface ScriptedWorkerOptions {
  /** Attempts at a time. Default 1. */
  readonly slots?: number
  readonly capabilities?: readonly string[]
  readonly roles?: readonly string[]
  /** It lives elsewhere: a crash of the fleet leaves it at work, and it goes on through a lost line (LE6, HO7). Default false. */
  readonly remote?: boolean
}

/** A worker that plays what a test wrote. */
export interface ScriptedWorker {
  readonly id: string
  readonly options: ScriptedWorkerOptions
  /**
   * What it does with a task of this id, or of this handler: the first play is for attempt 1, the second for attempt 2, and so on; the
   * last is for every attempt after it.
   */
  on(task: string, ...plays: readonly [Play, ...Play[]]): ScriptedWorker
  /** What it does with every other task. Default: it completes at once. */
  otherwise(...plays: readonly [Play, ...Play[]]): ScriptedWorker
  /** The play for an attempt. */
  playOf(task: FleetTaskSpec, attempt: number): Play
  /** The handlers that it serves: every name that it has plays for, since it may be a handler's. */
  readonly names: readonly string[]
}

/** Begins a scripted worker: `worker('w1').on('build', script().after('2s').complete())`. It takes any task that its facts allow. */
export function worker(id: string, options: ScriptedWorkerOptions = {}): ScriptedWorker {
  return withPlays(id, options, new Map(), [script().complete()])
}

type Plays = readonly [Play, ...Play[]]

function withPlays(id: string, options: ScriptedWorkerOptions, plays: ReadonlyMap<string, Plays>, others: Plays): ScriptedWorker {
  return {
    id,
    options,
    names: [...plays.keys()],
    on: (task, ...more) => withPlays(id, options, new Map([...plays, [task, more]]), others),
    otherwise: (...more) => withPlays(id, options, plays, more),
    playOf(task, attempt) {
      const own = plays.get(task.id) ?? (task.handler === undefined ? undefined : plays.get(task.handler)) ?? others
      return own[Math.min(attempt, own.length) - 1] ?? own[0]
    },
  }
}
