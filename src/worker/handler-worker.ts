import { attemptId, attemptKey } from '../protocol/attempt-key.ts'
import { FleetError } from '../protocol/errors.ts'
import type { AssignMessage, AttemptMessage, ToWorker } from '../protocol/wire.ts'
import type { Clock } from '../ports/clock.ts'
import type { PlainHandler, TaskHandler } from './handler.ts'
import { type RunningAttempt, runAttempt } from './run-attempt.ts'

/** Handlers that can be connected to a fleet, any number of times: each connection is an incarnation with attempts of its own. */
export interface HandlerWorker {
  readonly serves: { readonly handlers: readonly string[]; readonly plain: boolean }
  /** Begins an incarnation; `send` must not throw. */
  connect(send: (message: AttemptMessage) => void): HandlerConnection
}

/** One incarnation of a {@link HandlerWorker}. */
export interface HandlerConnection {
  /** Takes a message of the fleet. */
  receive(message: ToWorker): void
  /** Aborts every attempt with `fleet_closed`, and resolves when the work of all has settled. */
  close(reason: string): Promise<void>
}

/** Makes a worker of handlers and, for tasks that name neither a handler nor a command, of a plain function. Rejects two of one name with `invalid_option`. */
export function handlerWorker(options: {
  readonly handlers?: readonly TaskHandler[]
  readonly plain?: PlainHandler
  readonly clock: Clock
  /** Makes a folder and those above it, at once. Default: nothing is made. */
  readonly makeFolder?: (path: string) => void
  /** Covers secrets in the reasons of failures, before they are cut. Default: the fleet covers them alone. */
  readonly redact?: (text: string) => string
}): HandlerWorker {
  const { clock, plain, makeFolder = () => undefined, redact } = options
  const handlers = new Map((options.handlers ?? []).map((handler) => [handler.name, handler]))
  if (handlers.size < (options.handlers ?? []).length) {
    throw new FleetError('invalid_option', 'Two handlers have the same name, so a task could not tell them apart. Rename one.')
  }
  const plainHandler: TaskHandler | undefined = plain && { name: 'plain', run: (attempt) => plain(attempt.task, attempt) }
  return {
    serves: { handlers: [...handlers.keys()], plain: plain !== undefined },
    connect: (send) =>
      connect({
        clock,
        send,
        makeFolder,
        redact,
        handlerOf: ({ handler }) => (handler === undefined ? plainHandler : handlers.get(handler)),
      }),
  }
}

function connect(options: {
  readonly clock: Clock
  readonly send: (message: AttemptMessage) => void
  readonly makeFolder: (path: string) => void
  readonly redact: ((text: string) => string) | undefined
  readonly handlerOf: (task: AssignMessage['task']) => TaskHandler | undefined
}): HandlerConnection {
  const { clock, send, makeFolder, redact } = options
  const running = new Map<string, RunningAttempt>()

  const assign = (message: AssignMessage) => {
    const name = attemptId(message)
    if (running.has(name)) return
    const handler = options.handlerOf(message.task)
    if (handler === undefined) {
      const reason = `No handler ${message.task.handler ?? 'for tasks without one'} here. This worker serves others.`
      return send({ ...attemptKey(message), type: 'failed', failure_kind: 'task', reason, recoverable: false })
    }
    const attempt = runAttempt({ assign: message, handler, clock, send, makeFolder, ...(redact !== undefined && { redact }) })
    running.set(name, attempt)
    // `done` never rejects; the entry goes when the work has settled.
    void attempt.done.then(() => running.delete(name))
  }

  return {
    receive(message) {
      if (message.type === 'assign') assign(message)
      else if (message.type === 'hand_back') running.get(attemptId(message))?.handBack(message.reason)
      else if (message.type === 'stop') running.get(attemptId(message))?.stop(message.code, message.reason)
      else running.get(attemptId(message))?.collected(message)
    },
    async close(reason) {
      const attempts = [...running.values()]
      for (const attempt of attempts) attempt.stop('fleet_closed', reason)
      await Promise.all(attempts.map((attempt) => attempt.done))
    },
  }
}
