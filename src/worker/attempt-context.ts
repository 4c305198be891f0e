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
  requireLive(): void
  readonly reports: ReportChannel
  readonly send: (message: AttemptMessage) => void
  /** Makes a folder and those above it, at once. */
  readonly makeFolder: (path: string) => void
  /** The disk of the fleet has no room for what the work needs. */
  lackRoom(): void
}

/** Creates the context that the work of one attempt gets. Its methods need no `this`. */
export function createAttemptContext<Input>(input: Input, parts: ContextParts): AttemptContext<Input> {
  return new WorkContext(input, parts)
}

// Under symbols, and no private fields, so that an object that is made of a context, as its prototype or its proxy, works like it.
const parts = Symbol('parts')
const made = Symbol('made')

/** Most work uses little of what it gets, so what is not plain is made when it is asked for. */
class WorkContext<Input> implements AttemptContext<Input> {
  readonly task: AttemptContext['task']
  readonly input: Input
  readonly number: number
  readonly runId: string
  readonly budgetLeft: AttemptContext['budgetLeft']
  readonly allowParallelReads: boolean
  readonly previous: AttemptContext['previous']
  /** A function, since what is printed of a context must not show its secrets (SE5). */
  readonly [parts]: () => ContextParts;
  [made]: { reports?: Reports; dependencies?: AttemptContext['dependencies'] } | undefined

  constructor(input: Input, given: ContextParts) {
    const { assign } = given
    this.task = assign.task
    this.input = input
    this.number = assign.attempt
    this.runId = assign.run_id
    this.budgetLeft = assign.budget_left ?? {}
    this.allowParallelReads = assign.allow_parallel_reads
    this.previous = assign.previous
    this[parts] = () => given
    this[made] = undefined
  }

  get signal(): AbortSignal {
    return this[parts]().stopping.signal
  }

  get handBack(): AbortSignal {
    return this[parts]().handingBack.signal
  }

  get dependencies(): AttemptContext['dependencies'] {
    this[made] ??= {}
    return (this[made].dependencies ??= Object.fromEntries(
      this[parts]().assign.dependencies.map(({ task_id, receipt }) => [task_id, { receipt, output: receipt.output }]),
    ))
  }

  get secrets(): AttemptContext['secrets'] {
    return createAttemptSecrets(this[parts]().assign.secrets)
  }

  get folder(): string {
    const given = this[parts]()
    return withRoom(given, () => {
      given.makeFolder(given.assign.folder)
      return given.assign.folder
    })
  }

  get root(): string {
    return withRoom(this[parts](), () => this[parts]().assign.root)
  }

  get modelWait(): Reports['modelWait'] {
    return reportsOf(this).modelWait
  }

  get tool(): Reports['tool'] {
    return reportsOf(this).tool
  }

  get workflow(): Reports['workflow'] {
    return reportsOf(this).workflow
  }

  get usage(): Reports['usage'] {
    return reportsOf(this).usage
  }

  get route(): Reports['route'] {
    return reportsOf(this).route
  }

  get log(): Reports['log'] {
    return reportsOf(this).log
  }

  get artifact(): Reports['artifact'] {
    return reportsOf(this).artifact
  }

  get delay(): Reports['delay'] {
    return reportsOf(this).delay
  }

  get fail(): Reports['fail'] {
    return reportsOf(this).fail
  }
}

function reportsOf<Input>(context: WorkContext<Input>): Reports {
  context[made] ??= {}
  return (context[made].reports ??= createReports(context[parts]()))
}

/** What work can say and do, in functions that need no `this`. */
type Reports = Pick<AttemptContext, 'modelWait' | 'tool' | 'workflow' | 'usage' | 'route' | 'log' | 'artifact' | 'delay' | 'fail'>

function createReports(parts: ContextParts): Reports {
  const requireLive = () => parts.requireLive()
  return {
    ...createProgressReports(parts),
    artifact: (artifact) =>
      harmless(async () => {
        requireLive()
        return parts.reports.report(contentOf(artifact))
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
  const requireLive = () => parts.requireLive()
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

function withRoom<Value>(parts: Pick<ContextParts, 'lackRoom'>, make: () => Value): Value {
  try {
    return make()
  } catch (error) {
    if (isFullDisk(error)) parts.lackRoom()
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
