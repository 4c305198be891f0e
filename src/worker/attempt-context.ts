import { attemptKey } from '../protocol/attempt-key.ts'
import { FleetError } from '../protocol/errors.ts'
import type { Json } from '../protocol/json.ts'
import type { AssignMessage, AttemptMessage, ProgressEvent } from '../protocol/wire.ts'
import type { Clock } from '../ports/clock.ts'
import { isFullDisk } from '../transports/full-disk.ts'
import type { ArtifactContent, ReportChannel } from '../transports/report-channel.ts'
import type { AttemptArtifact, AttemptContext } from './attempt.ts'
import { createAttemptSecrets } from './attempt-secrets.ts'
import { AttemptFailure } from './failure.ts'
import { toJson } from './json-output.ts'
import { routeReport } from './route-report.ts'
import type { StopSignal } from './stop-signal.ts'

/** What a context stands on. `requireLive` throws when the attempt may no longer report; `send` never throws. */
export interface ContextParts {
  readonly assign: AssignMessage
  readonly clock: Clock
  readonly stopping: Pick<StopSignal, 'signal' | 'onStop'>
  readonly handingBack: Pick<StopSignal, 'signal'>
  readonly requireLive: () => void
  readonly reports: ReportChannel
  readonly send: (message: AttemptMessage) => void
  /** Makes a folder and those above it, at once. */
  readonly makeFolder: (path: string) => void
  /** The disk of the fleet has no room for what the work needs. */
  readonly lackRoom: () => void
}

/** Creates the context that the work of one attempt gets. Its methods need no `this`. */
export function createAttemptContext<Input>(input: Input, parts: ContextParts): AttemptContext<Input> {
  const { assign, stopping, requireLive, reports } = parts
  return {
    task: assign.task,
    input,
    number: assign.attempt,
    runId: assign.run_id,
    get signal() {
      return stopping.signal
    },
    get handBack() {
      return parts.handingBack.signal
    },
    budgetLeft: assign.budget_left ?? {},
    allowParallelReads: assign.allow_parallel_reads,
    previous: assign.previous,
    dependencies: Object.fromEntries(
      assign.dependencies.map(({ task_id, receipt }) => [task_id, { receipt, output: receipt.output }]),
    ),
    // Most work has none.
    get secrets() {
      return createAttemptSecrets(assign.secrets)
    },
    // Most work needs no folder of its own, so it is made when it is asked for.
    get folder() {
      return withRoom(parts, () => {
        parts.makeFolder(assign.folder)
        return assign.folder
      })
    },
    get root() {
      return withRoom(parts, () => assign.root)
    },
    ...createProgressReports(parts),
    artifact: (artifact) =>
      harmless(async () => {
        requireLive()
        return reports.report(contentOf(artifact))
      }),
    delay: (ms) =>
      harmless(async () => {
        requireLive()
        await untilStopped(ms, parts)
        requireLive()
      }),
    fail(reason, { retryable = true } = {}) {
      requireLive()
      throw new AttemptFailure(reason, retryable)
    },
  }
}

/** Resolves after `ms`, or as soon as the attempt must end. */
function untilStopped(ms: number, { clock, stopping }: Pick<ContextParts, 'clock' | 'stopping'>): Promise<void> {
  return new Promise((resolve) => {
    const disarm = clock.alarm(ms, wake, { keepAlive: true })
    const forget = stopping.onStop(wake)
    function wake(): void {
      disarm()
      forget()
      resolve()
    }
  })
}

/** The reports without an answer. They are not `async`: throwing at the call keeps one that nobody awaits from being an unhandled rejection. */
function createProgressReports(
  parts: ContextParts,
): Pick<AttemptContext, 'modelWait' | 'tool' | 'workflow' | 'usage' | 'route' | 'log'> {
  const { requireLive } = parts
  const key = attemptKey(parts.assign)
  const send = (message: AttemptMessage) => {
    parts.send(message)
    return Promise.resolve()
  }
  const progress = (event: ProgressEvent) => {
    requireLive()
    return send({ ...key, type: 'progress', event })
  }
  return {
    modelWait: (model) => progress({ state: 'model_wait', ...(model === undefined ? {} : { model }) }),
    tool: (tool, callId) => progress({ state: 'running_tool', tool, ...(callId === undefined ? {} : { call_id: callId }) }),
    workflow: (workflowRunId, event) =>
      progress({ state: 'workflow_event', workflow_run_id: workflowRunId, event: requireJson(event) }),
    usage(tokens) {
      requireLive()
      const input_tokens = requireCount('inputTokens', tokens.inputTokens)
      const output_tokens = requireCount('outputTokens', tokens.outputTokens)
      if (input_tokens === 0 && output_tokens === 0) return Promise.resolve()
      return send({ ...key, type: 'usage', input_tokens, output_tokens })
    },
    route(route) {
      requireLive()
      return send({ ...key, type: 'route', route: routeReport(route) })
    },
    log(text) {
      requireLive()
      return send({ ...key, type: 'log', text: text.endsWith('\n') ? text : `${text}\n` })
    },
  }
}

function withRoom<Value>({ lackRoom }: Pick<ContextParts, 'lackRoom'>, make: () => Value): Value {
  try {
    return make()
  } catch (error) {
    if (isFullDisk(error)) lackRoom()
    throw error
  }
}

function contentOf(artifact: AttemptArtifact): ArtifactContent {
  const mime = artifact.mimeType === undefined ? {} : { mime_type: artifact.mimeType }
  if ('path' in artifact) return { kind: artifact.kind, path: artifact.path, ...mime }
  const bytes = typeof artifact.content === 'string' ? new TextEncoder().encode(artifact.content) : artifact.content
  return { kind: artifact.kind, path: artifact.name, bytes, ...mime }
}

function requireCount(name: string, count: number | undefined): number {
  if (count === undefined) return 0
  if (Number.isSafeInteger(count) && count >= 0) return count
  throw new FleetError('invalid_option', `usage: ${name} is ${count}, which is no number of tokens. Pass a whole number from 0.`)
}

function requireJson(event: Json): Json {
  const checked = toJson(event, 'event')
  if (checked.ok && checked.json !== undefined) return checked.json
  const problem = checked.ok ? 'event: expected a JSON value, got nothing' : checked.complaints
  throw new FleetError('invalid_option', `workflow: ${problem}. Pass plain data.`)
}

/** Runs it, and does no harm when nobody awaits its rejection. */
function harmless<Value>(run: () => Promise<Value>): Promise<Value> {
  const promise = run()
  promise.catch(() => {})
  return promise
}
