import type { Clock } from '../ports/clock.ts'
import type { Files } from '../ports/files.ts'
import { attemptId } from '../protocol/attempt-key.ts'
import type { FleetErrorCode } from '../protocol/errors.ts'
import type { AttemptKey, AttemptMessage } from '../protocol/wire.ts'
import type { AckFrame, FleetAttemptFrame, KnownAttempt } from '../protocol/worker-protocol.ts'
import type { AttemptFolders } from './attempt-folder.ts'
import { createEndedAttempts } from './ended-attempts.ts'
import { handlerWorker } from './handler-worker.ts'
import type { PlainHandler, TaskHandler } from './handler.ts'
import type { OutboxLimits } from './outbox.ts'
import { serveAttempt, type ServedAttempt } from './served-attempt.ts'

/** What serving attempts stands on. */
export interface AttemptTableParts {
  readonly handlers: readonly TaskHandler[]
  readonly plain: PlainHandler | undefined
  /** Whether the fleet acknowledges, and what it did not is kept (HO7). */
  readonly resumes: boolean
  readonly clock: Clock
  readonly files: Files
  readonly folders: AttemptFolders
  readonly makeFolder: (path: string) => void
  readonly limits?: OutboxLimits
}

/** The attempts that a worker has: those that run, and those whose end was not acknowledged. */
export interface AttemptTable {
  readonly known: readonly KnownAttempt[]
  readonly running: readonly AttemptKey[]
  /** Takes a frame of the fleet, and gives the number up to which its attempt has heard all; undefined when a frame before it is missing. */
  take(frame: FleetAttemptFrame): number | undefined
  ack(frame: AckFrame): void
  /** Transmits once more what was not acknowledged. */
  resend(): void
  abort(code: FleetErrorCode, reason: string): void
  /** Adds to the log of the attempt that runs. False, and nothing happens, where none runs or several do. */
  print(text: string): boolean
  /** Resolves when it has no attempt, or has none again. */
  emptied(): Promise<void>
  /** Gives up what was not acknowledged, and removes the folders of all attempts. */
  clear(): Promise<void>
}

export function createAttemptTable(
  parts: AttemptTableParts & {
    readonly transmit: (line: string) => void
    /** Why no work is begun; undefined while it is. */
    readonly refusal: () => string | undefined
    /** Why the attempts are given back; undefined while they are not. */
    readonly leaving: () => string | undefined
    /** An attempt ended, or was acknowledged. */
    readonly changed: () => void
  },
): AttemptTable {
  const attempts = new Map<string, ServedAttempt>()
  const ended = createEndedAttempts()
  const secrets = new Map<string, Readonly<Record<string, string>>>()
  const removals = new Set<Promise<void>>()
  let waiting: (() => void)[] = []

  const work = handlerWorker({
    handlers: parts.handlers,
    ...(parts.plain && { plain: parts.plain }),
    clock: parts.clock,
    makeFolder: parts.makeFolder,
    redact: (text) => withoutSecrets(text, secrets.values()),
  }).connect((message: AttemptMessage) => attempts.get(attemptId(message))?.say(message))

  const forget = (name: string, attempt: ServedAttempt) => {
    attempts.delete(name)
    ended.add(name)
    const removal = attempt.remove().finally(() => removals.delete(removal))
    removals.add(removal)
    if (attempts.size === 0) wakeWaiting()
  }
  const wakeWaiting = () => {
    for (const wake of waiting) wake()
    waiting = []
  }
  const changed = (name: string) => {
    const attempt = attempts.get(name)
    if (attempt?.isRunning === false) secrets.delete(name)
    if (attempt?.isOver === true) forget(name, attempt)
    parts.changed()
  }
  const begin = (name: string, { run_id, task_id, attempt }: AttemptKey): ServedAttempt => {
    const served = serveAttempt({
      ...parts,
      key: { run_id, task_id, attempt },
      keeps: parts.resumes,
      toWork: work.receive,
      makeFolder: parts.folders.make,
      changed: () => changed(name),
    })
    attempts.set(name, served)
    return served
  }

  return {
    get known() {
      return [...attempts.values()].map(({ known }) => known)
    },
    get running() {
      return [...attempts.values()].filter(({ isRunning }) => isRunning).map(({ key }) => key)
    },
    take(frame) {
      const name = attemptId(frame)
      const attempt = attempts.get(name) ?? (mayBegin(frame) && !ended.has(name) ? begin(name, frame) : undefined)
      // It has ended, so nothing of it matters any more.
      if (attempt === undefined) return frame.seq
      if (frame.type === 'assign' && frame.secrets !== undefined) secrets.set(name, frame.secrets)
      return attempt.take(frame) ? attempt.known.heard : undefined
    },
    ack(frame) {
      const name = attemptId(frame)
      attempts.get(name)?.outbox.ack(frame.seq)
      changed(name)
    },
    resend() {
      for (const attempt of attempts.values()) attempt.outbox.resend()
    },
    abort(code, reason) {
      for (const attempt of attempts.values()) attempt.stop(code, reason)
    },
    print(text) {
      const running = [...attempts.values()].filter(({ isRunning }) => isRunning)
      if (running.length === 1) running[0]!.outbox.log(text)
      return running.length === 1
    },
    emptied: () => (attempts.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    async clear() {
      attempts.clear()
      wakeWaiting()
      await Promise.all(removals)
      parts.folders.remove()
    },
  }
}

/** An attempt begins with its files, where it has some, and its assignment. */
function mayBegin({ type }: FleetAttemptFrame): boolean {
  return type === 'assign' || type === 'chunk' || type === 'file'
}

/** Values of secrets stand in no reason of a failure, nor parts of them where a reason is cut (SE5). */
function withoutSecrets(text: string, secrets: Iterable<Readonly<Record<string, string>>>): string {
  let covered = text
  for (const each of secrets) {
    for (const [key, value] of Object.entries(each)) {
      if (value !== '') covered = covered.replaceAll(value, `<secret:${key}>`)
    }
  }
  return covered
}
