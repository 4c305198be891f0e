import { attemptKey } from '../protocol/attempt-key.ts'
import { FleetError, type FleetErrorCode } from '../protocol/errors.ts'
import type {
  AssignMessage,
  AttemptKey,
  AttemptMessage,
  CollectedMessage,
  FailedMessage,
  ResultMessage,
} from '../protocol/wire.ts'
import type { Clock } from '../ports/clock.ts'
import { createReportChannel, type ReportChannel } from '../transports/report-channel.ts'
import { type ContextParts, createAttemptContext } from './attempt-context.ts'
import { bounded, FailedWork, failureOf } from './failure.ts'
import type { TaskHandler } from './handler.ts'
import { toJson } from './json-output.ts'
import { validate } from './standard-schema.ts'
import { createStopSignal } from './stop-signal.ts'

/** How long a slot rests after an attempt that the disk had no room for. */
const roomlessRestMs = 1_000

/** An attempt that runs. */
export interface RunningAttempt {
  /** Takes the fleet's answer to an artifact report. */
  collected(message: CollectedMessage): void
  /** Aborts the attempt's `handBack`: a limit of a budget was crossed (BU2). */
  handBack(reason: string): void
  /** Aborts the attempt's signal. The attempt then ends with `stopped`, whatever its work still returns or throws. */
  stop(code: FleetErrorCode, reason: string): void
  /** Resolves when the work has settled and its last message was sent. Work that ignores its signal keeps it waiting. */
  readonly done: Promise<void>
}

/**
 * Runs a handler for one attempt, beginning in a later turn of the loop. Exactly one last message is sent: `result`, `failed` or
 * `stopped`, which also releases what failed because the disk has no room for its folder. It says that nothing of the attempt runs any
 * more, so it waits for the handler to settle.
 */
export function runAttempt(options: {
  readonly assign: AssignMessage
  readonly handler: TaskHandler
  readonly clock: Clock
  readonly send: (message: AttemptMessage) => void
  /** Makes a folder and those above it, at once. Default: nothing is made. */
  readonly makeFolder?: (path: string) => void
  /** Covers secrets. Reasons go through it before they are cut, so that no part of one is left at the cut (SE5). Default: nothing is covered here. */
  readonly redact?: (text: string) => string
}): RunningAttempt {
  return new HandlerAttempt(options)
}

type Options = Parameters<typeof runAttempt>[0]

/** Is what its context stands on, too: an attempt that does nothing makes as little as it can. */
class HandlerAttempt implements RunningAttempt, ContextParts {
  readonly assign: AssignMessage
  readonly clock: Clock
  readonly send: Options['send']
  readonly makeFolder: NonNullable<Options['makeFolder']>
  readonly stopping = createStopSignal()
  readonly handingBack = createStopSignal()
  readonly done: Promise<void>
  readonly #handler: TaskHandler
  readonly #redact: NonNullable<Options['redact']>
  #reports: ReportChannel | undefined
  #hasEnded = false
  #lacksRoom = false

  constructor({ assign, handler, clock, send, makeFolder = () => undefined, redact = (text) => text }: Options) {
    this.assign = assign
    this.clock = clock
    this.send = send
    this.makeFolder = makeFolder
    this.#handler = handler
    this.#redact = redact
    this.done = this.#run()
  }

  /** Made with the first report: most attempts make none. */
  get reports(): ReportChannel {
    return (this.#reports ??= createReportChannel((report, content) =>
      this.send({ ...attemptKey(this.assign), type: 'artifact', report, ...content }),
    ))
  }

  requireLive(): void {
    const { stopping, assign } = this
    if (stopping.reason !== undefined) throw stopping.reason
    if (!this.#hasEnded) return
    const { attempt, task_id } = assign
    throw new FleetError('lease_lost', `Attempt ${attempt} of ${task_id} has ended. Report before the handler returns.`)
  }

  lackRoom(): void {
    this.#lacksRoom = true
  }

  collected(message: CollectedMessage): void {
    this.#reports?.collected(message)
  }

  handBack(reason: string): void {
    this.handingBack.stop(new FleetError('budget_exceeded', reason))
  }

  stop(code: FleetErrorCode, reason: string): void {
    const why = new FleetError(code, reason)
    this.stopping.stop(why)
    this.#reports?.end(why)
  }

  async #run(): Promise<void> {
    await Promise.resolve()
    const outcome = this.#hasStopped ? undefined : await this.#work()
    this.#hasEnded = true
    if (this.#lacksRoom && outcome?.type === 'failed' && !this.#hasStopped) {
      // Not at once: as long as the disk is full, the next attempt ends here too.
      await this.clock.sleep(roomlessRestMs, { signal: this.stopping.signal })
      this.#sendStopped(this.#hasStopped ? undefined : 'no room for the folder of the attempt')
    } else if (this.#hasStopped || outcome === undefined) this.#sendStopped(undefined)
    else this.send({ ...attemptKey(this.assign), ...this.#bounded(outcome) })
  }

  get #hasStopped(): boolean {
    return this.stopping.reason !== undefined
  }

  #sendStopped(released: string | undefined): void {
    this.send({ ...attemptKey(this.assign), type: 'stopped', ...(released !== undefined && { released }) })
  }

  /** Waits for no more than there is to wait for: a handler without schemas that reports nothing is awaited alone. */
  async #work(): Promise<Outcome> {
    const handler = this.#handler
    const { task } = this.assign
    try {
      const input =
        handler.input === undefined ? { value: task.input } : await checkInput(handler.name, handler.input, task.input)
      if ('type' in input) return input
      if (this.stopping.reason !== undefined) throw this.stopping.reason
      const returned = await handler.run(createAttemptContext(input.value, this))
      if (returned instanceof FailedWork) return failed(returned)
      const unanswered = this.#reports?.settled()
      if (unanswered !== undefined) await unanswered
      return handler.output === undefined ? resultOf(returned) : await checkOutput(handler.name, handler.output, returned)
    } catch (thrown) {
      return failed(failureOf(thrown))
    }
  }

  #bounded(outcome: Outcome): Outcome {
    return outcome.type === 'failed' ? { ...outcome, reason: bounded(this.#redact(outcome.reason)) } : outcome
  }
}

type Outcome = Omit<ResultMessage, keyof AttemptKey> | Omit<FailedMessage, keyof AttemptKey>

type Schema = NonNullable<TaskHandler['input']>

async function checkInput(handler: string, schema: Schema, input: unknown): Promise<{ readonly value: unknown } | Outcome> {
  const checked = await validate(schema, input, 'input')
  if (checked.ok) return checked
  return failed({ reason: `handler ${handler} refuses its input: ${checked.complaints}`, recoverable: false })
}

async function checkOutput(handler: string, schema: Schema, returned: unknown): Promise<Outcome> {
  const checked = await validate(schema, returned, 'output')
  if (checked.ok) return resultOf(checked.value, true)
  return failed({
    reason: `invalid_output: handler ${handler} returned what its schema refuses: ${checked.complaints}`,
    recoverable: true,
  })
}

function resultOf(value: unknown, isAccepted = false): Outcome {
  const output = toJson(value)
  if (!output.ok) return failed({ reason: `invalid_output: ${output.complaints}`, recoverable: true })
  return {
    type: 'result',
    ...(output.json !== undefined && { output: output.json }),
    ...(isAccepted && { schema_accepted: true }),
  }
}

function failed({ reason, recoverable }: { readonly reason: string; readonly recoverable: boolean }): Outcome {
  return { type: 'failed', failure_kind: 'task', reason, recoverable }
}
