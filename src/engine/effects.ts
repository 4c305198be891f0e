import { ownCopy } from '../protocol/own-copy.ts'
import { joinSignals } from '../protocol/joined-signal.ts'
import type { AlertOutbox } from './alert-outbox.ts'
import { gatherAssignment } from './assignment.ts'
import { failAttempt } from './attempt-end.ts'
import type { Failure } from './attempt-end.ts'
import { liveTask } from './attempt-watch.ts'
import type { AttemptWatch } from './attempt-watch.ts'
import { budgetLeft, overBudgetOf } from './budget.ts'
import type { Core } from './core.ts'
import { nothing } from './entry.ts'
import type { EffectKind, Entry } from './entry.ts'
import { runScorer } from './run-scorer.ts'
import { knownSecrets, withoutSecrets } from './redacted-report.ts'
import type { RunState, TaskState } from './state.ts'
import { createStopping } from './stopping.ts'
import type { Stopping } from './stopping.ts'
import type { Workers } from './workers.ts'

/** Performs effects: each once its entry is durable, those of one attempt in order (CO5, CO6). */
export interface Effects {
  perform(run: RunState, entry: Entry): void
  /** What was decided upon was discarded: performs what was passed over because of it, where it still applies (CO1). */
  again(): void
  /** Starts the scorer of a task that waits in `verifying`; after a restart this is asked again (CO5). */
  score(run: RunState, task: TaskState): void
  /** Tells the worker of an attempt to stop, without an entry: for attempts that the fleet knows nothing of (LE2). */
  readonly stop: Stopping['stop']
  /** Resolves when no effect is being performed. */
  idle(): Promise<void>
  close(): void
}

export function createEffects(core: Core, workers: Workers, watch: AttemptWatch, alerts: AlertOutbox): Effects {
  const chains = new Map<string, Promise<void>>()
  // What was passed over because its lease was revoked; until that is durable, the revocation may be discarded (CO1).
  const passedOver = new Map<string, () => void>()
  /** Scorers that are at work: whatever ends their attempt otherwise stops them. */
  const scoring = new Map<string, AbortController>()
  const closing = new AbortController()
  const stopping = createStopping(core, workers)
  const parts = { core, workers, signal: closing.signal }

  const handlers: Record<EffectKind, (run: RunState, entry: Entry) => Promise<void> | void> = {
    'worker.start': start,
    'worker.stop': stopAttempt,
    'worker.hand_back': stopping.handBack,
    'scorer.run': (run, entry) => score(run.header.id, entry.task ?? '', entry.attempt ?? 0),
    'alert.send': (run, entry) => alerts.perform(run, entry),
  }

  function perform(run: RunState, entry: Entry): void {
    const mayConcern = entry.set?.status !== undefined && passedOver.size + scoring.size > 0
    if (entry.effects === undefined && !mayConcern) return
    const key = `${run.header.id}/${entry.task ?? ''}/${entry.attempt ?? 0}`
    if (mayConcern) {
      passedOver.delete(key)
      scoring.get(key)?.abort()
    }
    for (const kind of entry.effects ?? []) {
      if (apart.has(kind)) void handlers[kind](run, entry)
      else inOrder(key, () => handlers[kind](run, entry))
    }
  }

  function stopAttempt(run: RunState, entry: Entry): void {
    passedOver.delete(`${run.header.id}/${entry.task ?? ''}/${entry.attempt ?? 0}`)
    stopping.stopAttempt(run, entry)
  }

  function passOver(run: RunState, entry: Entry): void {
    const { id } = run.header
    passedOver.set(`${id}/${entry.task ?? ''}/${entry.attempt ?? 0}`, () => {
      const live = liveTask(core, id, entry.task ?? '', entry.attempt ?? 0)
      if (live !== undefined) perform(live.run, entry)
    })
  }

  /** Effects of one attempt wait for each other; the first one starts at once. */
  function inOrder(key: string, act: () => Promise<void> | void): void {
    const before = chains.get(key)
    const outcome = before === undefined ? act() : before.then(act)
    if (!(outcome instanceof Promise)) return
    const chain = outcome.finally(() => {
      if (chains.get(key) === chain) chains.delete(key)
    })
    chains.set(key, chain)
  }

  function start(run: RunState, entry: Entry): Promise<void> | void {
    const attempt = entry.attempt ?? 0
    const live = liveTask(core, run.header.id, entry.task ?? '', attempt)
    if (live === undefined || live.task.worker === null) {
      passOver(run, entry)
      return
    }
    const { task } = live
    const at = core.deadlines.leaseNow()
    const presence = core.presence.begin({
      run: run.header.id,
      task: task.id,
      attempt,
      worker: live.task.worker,
      deadline: at + core.defaults.leaseTtlMs,
      lastHeardAt: core.clock.now(),
      lastProgress: at,
    })
    watch.watch(presence)
    // What an attempt before it spent may have been told late (BU3).
    if (overBudgetOf(run, task, core.clock.now()) !== undefined) {
      refuseStart(run, task, attempt, { cause: 'task', reason: 'It was not begun.', final: true })
      return
    }
    const gathered = gatherAssignment(parts, run, task)
    if (!(gathered instanceof Promise)) return handOver(run, task, entry, gathered)
    return gathered
      .then((found) => handOver(run, task, entry, found))
      .catch((error: unknown) =>
        // A store or a disk that cannot be read fails the attempt, never the fleet (SC4).
        refuseStart(run, task, attempt, {
          cause: 'transport',
          reason: withoutSecrets(core, `The attempt could not be prepared: ${String(error)}`),
          final: false,
        }),
      )
  }

  function handOver(run: RunState, task: TaskState, entry: Entry, gathered: Awaited<ReturnType<typeof gatherAssignment>>): void {
    const attempt = entry.attempt ?? 0
    if ('problems' in gathered) {
      refuseStart(run, task, attempt, { cause: 'task', reason: gathered.problems.join('\n'), final: true })
      return
    }
    // What was awaited may have taken long: a start is performed only while its lease is live (CO6).
    const presence = core.presence.get(run.header.id, task.id, attempt)
    if (presence === undefined || liveTask(core, run.header.id, task.id, attempt) === undefined) {
      core.presence.end(run.header.id, task.id, attempt)
      passOver(run, entry)
      core.turns.nudge()
      return
    }
    const { prepared, previous, dependencies, secrets } = gathered
    const left = budgetLeft(run, task, task.leasedAt ?? core.clock.now())
    const place = {
      run_id: run.header.id,
      task_id: task.id,
      attempt,
      folder: core.folderOf(run.header.id, task.id, attempt),
      root: prepared.root,
    }
    presence.place = place
    const { level, confined } = workers.termsOf(task, presence.worker)
    // Known before the worker is: whatever it says is redacted (SE5).
    if (secrets !== undefined) presence.forgetSecrets = core.inUse.use(knownSecrets(secrets))
    workers.get(presence.worker)?.channel?.send({
      type: 'assign',
      ...place,
      // What a worker does with it is no business of the next attempt.
      task: ownCopy(task.spec),
      previous,
      dependencies,
      environment: prepared.environment,
      ...(left !== undefined && { budget_left: left }),
      ...(secrets !== undefined && { secrets }),
      allow_parallel_reads: run.header.security_policy?.allow_parallel_reads ?? false,
      trust_level: level,
      ...(confined !== undefined && { confined }),
    })
  }

  function refuseStart(
    run: RunState,
    task: TaskState,
    attempt: number,
    failure: Pick<Failure, 'cause' | 'reason' | 'final'>,
  ): void {
    core.presence.end(run.header.id, task.id, attempt)
    core.turns.report((context) => {
      const found = liveTask(core, run.header.id, task.id, attempt)
      if (found === undefined) return nothing()
      return failAttempt(context, found.run, found.task, { ...failure, stillRunning: false })
    })
  }

  function score(runId: string, taskId: string, attempt: number): Promise<void> | void {
    const run = core.state.runs.get(runId)
    const task = run?.tasks.get(taskId)
    const key = `${runId}/${taskId}/${attempt}`
    if (run !== undefined && task?.status === 'verifying' && task.attempt === attempt) {
      const stop = new AbortController()
      scoring.set(key, stop)
      const gone = joinSignals([stop.signal, closing.signal])
      return runScorer(core, run, task, gone.signal).finally(() => {
        gone[Symbol.dispose]()
        scoring.delete(key)
      })
    }
    passedOver.set(key, () => {
      const now = core.state.runs.get(runId)?.tasks.get(taskId)
      if (now?.status === 'verifying' && now.attempt === attempt) inOrder(key, () => score(runId, taskId, attempt))
    })
  }

  return {
    perform,
    again() {
      const before = [...passedOver.values()]
      passedOver.clear()
      for (const act of before) act()
    },
    score: (run, task) =>
      inOrder(`${run.header.id}/${task.id}/${task.attempt}`, () => score(run.header.id, task.id, task.attempt)),
    stop: stopping.stop,
    async idle() {
      while (chains.size > 0) await Promise.all(chains.values())
    },
    close: () => closing.abort(),
  }
}

/** These do not wait for what else is done for their attempt. */
const apart: ReadonlySet<EffectKind> = new Set<EffectKind>(['alert.send'])
