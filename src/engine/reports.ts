import { attemptId } from '../protocol/attempt-key.ts'
import type { FleetArtifactRef } from '../protocol/artifact.ts'
import { FleetError } from '../protocol/errors.ts'
import { invalidDocument } from '../protocol/problem.ts'
import { RouteReport } from '../protocol/route.ts'
import type {
  AcceptedMessage,
  ArtifactMessage,
  AttemptMessage,
  ProgressMessage,
  RouteMessage,
  UsageMessage,
} from '../protocol/wire.ts'
import type { AttemptPlace } from '../ports/collector.ts'
import { failAttempt, releaseAttempt } from './attempt-end.ts'
import { liveTask } from './attempt-watch.ts'
import { accept, fail, finish, noteRoute, progress, recordArtifact, spend } from './commands/report.ts'
import type { Core } from './core.ts'
import type { DecideContext } from './decide.ts'
import { nothing } from './entry.ts'
import type { Decision } from './entry.ts'
import type { Effects } from './effects.ts'
import { announceHeartbeat } from './heartbeat.ts'
import type { AttemptPresence } from './presence.ts'
import { redactArtifact, redactLog, redactReport, restOfLog, withoutSecrets } from './redacted-report.ts'
import type { RunMemory } from './run-memory.ts'
import { seqOf } from './worker-seqs.ts'
import type { Worker, Workers } from './workers.ts'

/** Takes in what workers say of their attempts. */
export interface Reports {
  take(worker: Worker, message: AttemptMessage): void
  /** Messages that were refused or came too late, since the fleet was created (EV5). */
  readonly late: number
  /** Resolves when nothing that was said is still being taken in. */
  idle(): Promise<void>
  /** Resolves when everything that was said so far has been taken in; it may not be durable yet. */
  taken(): Promise<void>
}

export function createReports(core: Core, workers: Workers, effects: Effects, use: RunMemory['use']): Reports {
  // Collecting takes time; what an attempt says after it waits, so that its messages keep their order.
  const chains = new Map<AttemptPresence, Promise<void>>()
  let late = 0

  function take(worker: Worker, said: AttemptMessage): void {
    const message = redactReport(core, said)
    if (worker.status === 'unhealthy') recover(worker)
    const presence = core.presence.get(message.run_id, message.task_id, message.attempt)
    if (presence === undefined || presence.worker !== worker.facts.id) {
      unexpected(worker, message)
      return
    }
    touch(presence, message)
    const isRepeated = isRepeat(presence, message)
    // What was kept is not kept again; only whoever waits for an answer may still need it.
    if (isRepeated && message.type !== 'artifact') return
    const chain = chains.get(presence)
    const outcome =
      chain === undefined
        ? handle(worker, presence, message, isRepeated)
        : chain.then(() => handle(worker, presence, message, isRepeated))
    if (!(outcome instanceof Promise)) return
    const next = outcome.finally(() => {
      if (chains.get(presence) === next) chains.delete(presence)
    })
    chains.set(presence, next)
  }

  /** Any message of its attempt moves the deadline (LE3). */
  function touch(presence: AttemptPresence, message: AttemptMessage): void {
    const now = core.deadlines.leaseNow()
    presence.deadline = now + core.defaults.leaseTtlMs
    presence.lastHeardAt = core.clock.now()
    if (message.type !== 'heartbeat') presence.lastProgress = now
  }

  /** Its acknowledgement was lost, with its line or with the fleet that took it (HO7). */
  function isRepeat({ run, task, attempt }: AttemptPresence, { seq }: AttemptMessage): boolean {
    if (seq === undefined) return false
    const heard = core.state.runs.get(run)?.tasks.get(task)?.heard
    return heard?.attempt === attempt && seq <= heard.seq
  }

  function handle(worker: Worker, presence: AttemptPresence, message: AttemptMessage, isRepeated: boolean): Promise<void> | void {
    const { run_id, task_id, attempt } = message
    switch (message.type) {
      case 'heartbeat':
        if (presence.lingering) return
        announceHeartbeat(core, presence, message)
        // What works was accepted; its word for that may have been lost with a fleet that crashed (LE6).
        if (liveOf(message)?.task.status === 'starting') accepted({ type: 'accepted', run_id, task_id, attempt })
        return
      case 'accepted':
        return accepted(message)
      case 'progress':
        return progressed(message, isNewCall(presence, message.event))
      case 'usage':
        return spent(message)
      case 'route':
        return route(presence, message)
      case 'log':
        presence.logged = true
        return log(presence, redactLog(core, presence, message.text))
      case 'artifact':
        return collect(worker, presence, message, isRepeated)
      case 'result':
      case 'failed':
      case 'stopped':
        return end(worker, presence, message)
    }
  }

  function liveOf({ run_id, task_id, attempt }: AttemptMessage): Live | undefined {
    return liveTask(core, run_id, task_id, attempt)
  }

  function accepted(message: AcceptedMessage): void {
    core.turns.report((context) => {
      const found = liveOf(message)
      return found === undefined ? nothing() : noting(message, accept(context, found.run, found.task, message))
    })
  }

  function progressed(message: ProgressMessage, newCall: boolean): void {
    core.turns.report((context) => {
      const found = liveOf(message)
      return found === undefined ? nothing() : noting(message, progress(context, found.run, found.task, message, newCall))
    })
  }

  function spent(message: UsageMessage): void {
    core.turns.report((context) => {
      const run = core.state.runs.get(message.run_id)
      const task = run?.tasks.get(message.task_id)
      return run === undefined || task === undefined ? nothing() : noting(message, spend(context, run, task, message))
    })
  }

  /** Whatever may not be on a receipt is not taken, and the attempt's log says so. */
  function route(presence: AttemptPresence, message: RouteMessage): Promise<void> | void {
    const reading = RouteReport.read(message.route)
    if (!reading.ok) {
      presence.logged = true
      return log(presence, `${invalidDocument('the route', reading.problems).message}\nThe route was not taken.\n`)
    }
    core.turns.report((context) => {
      const found = liveTask(core, presence.run, presence.task, presence.attempt)
      return found === undefined ? nothing() : noting(message, noteRoute(context, found.run, found.task, reading.value))
    })
  }

  /** A log that cannot be written is less than the attempt that writes it. */
  function log(presence: AttemptPresence, text: string): Promise<void> | undefined {
    return presence.place === undefined ? undefined : core.collector.log(presence.place, text).catch(() => undefined)
  }

  async function collect(
    worker: Worker,
    presence: AttemptPresence,
    message: ArtifactMessage,
    isRepeated: boolean,
  ): Promise<void> {
    const { run_id, task_id, attempt, report } = message
    const key = { run_id, task_id, attempt }
    if (presence.place === undefined) return
    let artifact: FleetArtifactRef
    try {
      artifact = redactArtifact(core, await core.collector.collect(presence.place, message))
    } catch (error) {
      const reason = FleetError.is(error) ? error.message : `The artifact could not be collected: ${String(error)}`
      worker.channel?.send({ type: 'collected', ...key, report, refused: withoutSecrets(core, reason) })
      return
    }
    if (!isRepeated) core.turns.report((context) => noting(message, recorded(context, presence, artifact)))
    worker.channel?.send({ type: 'collected', ...key, report, artifact })
  }

  /** An artifact of an attempt, whether that is still live or not (RU5). */
  function recorded(context: DecideContext, presence: AttemptPresence, artifact: FleetArtifactRef): Decision {
    const run = core.state.runs.get(presence.run)
    const task = run?.tasks.get(presence.task)
    if (run === undefined || task === undefined) return nothing()
    return recordArtifact(context, run, task, presence.attempt, presence.worker, artifact)
  }

  function end(worker: Worker, presence: AttemptPresence, message: LastMessage): Promise<void> | void {
    // Most attempts write no log; they end without a turn of the event loop.
    if (!presence.logged || presence.place === undefined) ended(worker, presence, message, undefined)
    else {
      return finishLog(presence, presence.place).then(
        (kept) => ended(worker, presence, message, kept),
        (error: unknown) => ended(worker, presence, withoutLog(message, error), undefined),
      )
    }
  }

  async function finishLog(presence: AttemptPresence, place: AttemptPlace): Promise<FleetArtifactRef | undefined> {
    const rest = restOfLog(presence)
    if (rest !== '') await log(presence, rest)
    return core.collector.finish(place)
  }

  function ended(worker: Worker, presence: AttemptPresence, message: LastMessage, log: FleetArtifactRef | undefined): void {
    core.presence.end(presence.run, presence.task, presence.attempt)
    core.turns.report((context) => {
      const found = liveTask(core, presence.run, presence.task, presence.attempt)
      if (found !== undefined) return endOf(context, found, { worker: presence.worker, message, log })
      if (message.type !== 'stopped') late += 1
      return log === undefined ? nothing() : recorded(context, presence, log)
    })
    workers.settle(worker)
  }

  /** A message of an attempt that this fleet does not know as live: it changes no task, and its worker is told to stop (LE2). */
  function unexpected(worker: Worker, message: AttemptMessage): void {
    if (message.type === 'stopped' || message.type === 'result' || message.type === 'failed') {
      worker.abandoned.delete(attemptId(message))
      if (message.type !== 'stopped') late += 1
      core.turns.nudge()
      return
    }
    late += 1
    if (message.type === 'usage') spendLate(worker, message)
    const { run_id, task_id, attempt } = message
    effects.stop(worker.facts.id, { run_id, task_id, attempt }, 'lease_lost', 'This attempt does not hold the lease of its task.')
  }

  /** Spend counts whatever attempt it was for (BU3), from a worker that had the task: nobody speaks for another. */
  function spendLate(worker: Worker, message: UsageMessage): void {
    const { run_id, task_id } = message
    const report = (): void =>
      core.turns.report((context) => {
        const run = core.state.runs.get(run_id)
        const task = run?.tasks.get(task_id)
        if (run === undefined || task === undefined) return nothing()
        const had = seqOf(task.workerSeqs, worker.facts.id) > 0 && message.attempt <= task.attempt
        return had ? spend(context, run, task, message) : nothing()
      })
    if (core.state.runs.has(run_id)) report()
    // A run that has ended is read again for it; where it cannot be read, there is nothing to add to.
    else void use(run_id, async () => report()).catch(() => undefined)
  }

  /** A worker that is heard is well, and may be given work at once (WO). */
  function recover(worker: Worker): void {
    workers.step(worker, { type: 'recover', leases: core.state.holdings.get(worker.facts.id) ?? 0, draining: worker.draining })
    core.turns.nudge()
  }

  return {
    take,
    async taken() {
      await Promise.all(chains.values())
    },
    async idle() {
      while (chains.size > 0) await Promise.all(chains.values())
    },
    get late() {
      return late
    },
  }
}

type LastMessage = Extract<AttemptMessage, { type: 'result' | 'failed' | 'stopped' }>

/** What the last message of an attempt that is live makes of it. */
function endOf(context: DecideContext, { run, task }: Live, { worker, message, log }: Ending): Decision {
  if (message.type === 'result') return finish(context, run, task, message, log)
  if (message.type === 'failed') return fail(context, run, task, message, log)
  if (message.released !== undefined) return giveBack(context, { run, task }, message.released, { worker, log })
  // It stopped though nobody asked: the host gave it up.
  return failAttempt(context, run, task, {
    cause: 'transport',
    reason: 'The host stopped the attempt.',
    final: false,
    artifacts: log === undefined ? [] : [log],
    stillRunning: false,
  })
}

type Live = NonNullable<ReturnType<typeof liveTask>>

interface Ending {
  readonly worker: string
  readonly message: LastMessage
  readonly log: FleetArtifactRef | undefined
}

function* giveBack(
  context: DecideContext,
  { run, task }: Live,
  reason: string,
  { worker, log }: Pick<Ending, 'worker' | 'log'>,
): Decision {
  if (log !== undefined) yield* recordArtifact(context, run, task, task.attempt, worker, log)
  yield* releaseAttempt(context, run, task, { reason, crash: false, stillRunning: false })
}

/** Notes the number of a message with the first of what it decides, so that a repeat of it is known after a crash too (HO7). */
function* noting({ attempt, seq }: AttemptMessage, decision: Decision): Decision {
  let heard = seq === undefined ? undefined : { attempt, seq }
  for (const draft of decision) {
    yield heard === undefined ? draft : { ...draft, set: { ...draft.set, heard } }
    heard = undefined
  }
}

function isNewCall(presence: AttemptPresence, event: { readonly state: string; readonly call_id?: string }): boolean {
  if (event.state !== 'running_tool') return false
  if (event.call_id === undefined) return true
  if (presence.calls?.has(event.call_id) === true) return false
  presence.calls = (presence.calls ?? new Set()).add(event.call_id)
  return true
}

/** The end of an attempt whose log could not be kept, which says so (AR5). */
function withoutLog(message: LastMessage, cause: unknown): LastMessage {
  const note = `The log of the attempt could not be kept: ${cause instanceof Error ? cause.message : String(cause)}`
  const told = (text: string | undefined) => (text === undefined ? note : `${text}\n${note}`)
  if (message.type === 'result') return { ...message, summary: told(message.summary) }
  if (message.type === 'failed') return { ...message, reason: told(message.reason) }
  return message.released === undefined ? message : { ...message, released: told(message.released) }
}
