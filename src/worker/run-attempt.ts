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
import { createReportChannel } from '../transports/report-channel.ts'
import { createAttemptContext } from './attempt-context.ts'
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
  const { assign, handler, clock, send, makeFolder = () => undefined, redact = (text) => text } = options
  const key = attemptKey(assign)
  const stopping = createStopSignal()
  const handingBack = createStopSignal()
  let hasEnded = false
  let lacksRoom = false
  const reports = createReportChannel((report, content) => send({ ...key, type: 'artifact', report, ...content }))
  const requireLive = () => {
    if (stopping.reason !== undefined) throw stopping.reason
    if (hasEnded)
      throw new FleetError('lease_lost', `Attempt ${key.attempt} of ${key.task_id} has ended. Report before the handler returns.`)
  }

  const work = async (): Promise<Outcome> => {
    const input = await checkInput(handler, assign)
    if ('type' in input) return input
    const context = createAttemptContext(input.value, {
      ...{ assign, clock, stopping, handingBack, requireLive, reports, send, makeFolder },
      lackRoom: () => void (lacksRoom = true),
    })
    if (stopping.reason !== undefined) throw stopping.reason
    const returned = await handler.run(context)
    if (returned instanceof FailedWork) return failed(returned)
    await reports.settled()
    return checkOutput(handler, returned)
  }

  const hasStopped = () => stopping.reason !== undefined

  const run = async () => {
    await Promise.resolve()
    const outcome = hasStopped() ? undefined : await work().catch((thrown: unknown) => failed(failureOf(thrown)))
    hasEnded = true
    if (lacksRoom && outcome?.type === 'failed' && !hasStopped()) {
      // Not at once: as long as the disk is full, the next attempt ends here too.
      await clock.sleep(roomlessRestMs, { signal: stopping.signal })
      return send({ ...key, type: 'stopped', ...(!hasStopped() && { released: 'no room for the folder of the attempt' }) })
    }
    send(hasStopped() || outcome === undefined ? { ...key, type: 'stopped' } : { ...key, ...withBoundedReason(outcome, redact) })
  }

  return {
    collected: reports.collected,
    handBack: (reason) => handingBack.stop(new FleetError('budget_exceeded', reason)),
    stop(code, reason) {
      const why = new FleetError(code, reason)
      stopping.stop(why)
      reports.end(why)
    },
    done: run(),
  }
}

type Outcome = Omit<ResultMessage, keyof AttemptKey> | Omit<FailedMessage, keyof AttemptKey>

async function checkInput(handler: TaskHandler, { task }: AssignMessage): Promise<{ readonly value: unknown } | Outcome> {
  if (handler.input === undefined) return { value: task.input }
  const checked = await validate(handler.input, task.input, 'input')
  if (checked.ok) return checked
  return failed({ reason: `handler ${handler.name} refuses its input: ${checked.complaints}`, recoverable: false })
}

async function checkOutput(handler: TaskHandler, returned: unknown): Promise<Outcome> {
  const checked = handler.output === undefined ? undefined : await validate(handler.output, returned, 'output')
  if (checked?.ok === false) {
    return failed({
      reason: `invalid_output: handler ${handler.name} returned what its schema refuses: ${checked.complaints}`,
      recoverable: true,
    })
  }
  const output = toJson(checked === undefined ? returned : checked.value)
  if (!output.ok) return failed({ reason: `invalid_output: ${output.complaints}`, recoverable: true })
  return {
    type: 'result',
    ...(output.json === undefined ? {} : { output: output.json }),
    ...(checked === undefined ? {} : { schema_accepted: true }),
  }
}

function failed({ reason, recoverable }: { readonly reason: string; readonly recoverable: boolean }): Outcome {
  return { type: 'failed', failure_kind: 'task', reason, recoverable }
}

function withBoundedReason(outcome: Outcome, redact: (text: string) => string): Outcome {
  return outcome.type === 'failed' ? { ...outcome, reason: bounded(redact(outcome.reason)) } : outcome
}
