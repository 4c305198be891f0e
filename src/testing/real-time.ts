import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import type { AttemptContext } from '../worker/attempt.ts'

/** Finds handlers that wait for what a virtual clock cannot bring about: real timers, sockets, child processes. */
export interface RealTime {
  /** The same handler; what it waits for is known from then on. */
  watching<Result>(handler: (attempt: AttemptContext) => Result): (attempt: AttemptContext) => Result
  /** Says of a handler that waits for something real what it waits for; undefined when there is none. */
  offence(): string | undefined
  /** The process that ran the handlers is dead. */
  forget(): void
}

interface Watched {
  readonly task: string
  readonly attempt: number
  /** How many waits of the fleet's own it is in. */
  ownWaits: number
  readonly timers: Set<object>
  /** Something else that is real, by the platform's name. */
  io: string | undefined
}

/** What never takes real time, and what settles by itself in turns of the event loop. */
const harmless =
  /^(?:PROMISE|TickObject|Microtask|Immediate|FSREQ|FILEHANDLE|FSEVENT|RANDOMBYTES|PBKDF2|SCRYPT|HASH|SIGN|KEY|CIPHER|ZLIB|bound-|Async|EventEmitter|Blob|Diagnostics)/i

export function createRealTime(): RealTime {
  const current = new AsyncLocalStorage<Watched>()
  const suspects = new Set<Watched>()
  const watched = new Set<Watched>()
  const hook = createHook({
    init(_, type, __, resource) {
      if (harmless.test(type)) return
      const work = current.getStore()
      if (work === undefined || !watched.has(work)) return
      if (type === 'Timeout') work.timers.add(resource)
      else work.io = type
      suspects.add(work)
    },
  })

  function ended(work: Watched): void {
    suspects.delete(work)
    watched.delete(work)
    if (watched.size === 0) hook.disable()
  }

  /** The handler's view of its attempt: what it waits for through it is no real wait. */
  function viewOf(attempt: AttemptContext, work: Watched): AttemptContext {
    const own: Pick<AttemptContext, 'delay' | 'artifact'> = {
      delay: (ms) => waiting(work, attempt.delay(ms)),
      artifact: (artifact) => waiting(work, attempt.artifact(artifact)),
    }
    return Object.create(attempt, Object.getOwnPropertyDescriptors(own)) as AttemptContext
  }

  return {
    watching: (handler) => (attempt) => {
      const work: Watched = { task: attempt.task.id, attempt: attempt.number, ownWaits: 0, timers: new Set(), io: undefined }
      if (watched.size === 0) hook.enable()
      watched.add(work)
      try {
        const result = current.run(work, () => handler(viewOf(attempt, work)))
        if (result instanceof Promise) void result.catch(() => undefined).finally(() => ended(work))
        else ended(work)
        return result
      } catch (error) {
        ended(work)
        throw error
      }
    },
    forget() {
      watched.clear()
      suspects.clear()
      hook.disable()
    },
    offence() {
      for (const work of suspects) {
        for (const timer of work.timers) if (hasFired(timer)) work.timers.delete(timer)
        if (work.ownWaits > 0) continue
        if (work.timers.size > 0) return saying(work, 'a real timer', 'Wait with attempt.delay(ms), which this clock moves.')
        if (work.io !== undefined)
          return saying(work, `real input or output (${work.io})`, 'Put a fake in its place, or test it with a real clock.')
      }
      return undefined
    },
  }
}

function saying({ task, attempt }: Watched, what: string, instead: string): string {
  return `The handler of the task ${task} (attempt ${attempt}) waits for ${what}. Virtual time does not bring that about. ${instead}`
}

/** A timer that fired, or was cleared, is marked by the platform; there is no other way to ask it. */
function hasFired(timer: object): boolean {
  return '_destroyed' in timer && timer._destroyed === true
}

/** It does no harm when nobody awaits its rejection. */
function waiting<Answer>(work: Watched, wait: Promise<Answer>): Promise<Answer> {
  work.ownWaits += 1
  // The handler has come past what it waited for before.
  work.io = undefined
  const promise = wait.finally(() => (work.ownWaits -= 1))
  promise.catch(() => undefined)
  return promise
}
