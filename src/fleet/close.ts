import { releaseAttempt } from '../engine/attempt-end.ts'
import type { DecideContext } from '../engine/decide.ts'
import type { Engine } from '../engine/engine.ts'
import type { Decision } from '../engine/entry.ts'
import { isWorking } from '../engine/state.ts'

/**
 * Closes an engine gracefully: no new leases, running attempts get `graceMs`, what is left is released and told to stop, and all is
 * flushed; alerts that are due get a few seconds (CO8, LE8, AL2). `hurry` ends every grace at once. A store that fails is waited for as long as the work may take to end, and no
 * longer: what could not be recorded is released by whoever opens the store next, as after a crash.
 */
export async function closeEngine(
  engine: Engine,
  { graceMs, hurry }: { readonly graceMs: number; readonly hurry: AbortSignal },
): Promise<void> {
  const { core } = engine
  engine.leasing = false
  const closed = new AbortController()
  const patienceMs = graceMs + core.defaults.stopGraceMs
  void core.clock.sleep(patienceMs, { signal: AbortSignal.any([closed.signal, hurry]) }).then(() => {
    if (!closed.signal.aborted) engine.giveUpOnStore()
  })
  await untilNothingWorks(engine, graceMs, hurry)
  core.turns.report(releaseAll)
  await engine.settled()
  const alertGraceMs = Math.min(graceMs, core.defaults.alertCloseGraceMs)
  await engine.alerts.close({ graceMs: hurry.aborted ? 0 : alertGraceMs, hurry })
  await engine.settled()
  engine.closing = true
  engine.effects.close()
  await closeWorkers(engine, hurry.aborted ? 0 : Math.min(graceMs, core.defaults.stopGraceMs), hurry)
  await engine.effects.idle()
  await engine.reports.idle()
  await engine.settled()
  core.deadlines.close()
  closed.abort()
  await engine.keepFleetStream()
  await engine.saveSnapshots()
}

function* releaseAll(context: DecideContext): Decision {
  for (const run of context.state.runs.values()) {
    if (run.working === 0) continue
    for (const task of [...run.tasks.values()]) {
      if (isWorking(task.status))
        yield* releaseAttempt(context, run, task, { reason: 'fleet_closed', crash: false, stillRunning: true })
    }
  }
}

/** Workers that are closed a second time, with no grace, end at once. */
async function closeWorkers(engine: Engine, graceMs: number, hurry: AbortSignal): Promise<void> {
  const reason = 'the fleet was closed'
  const closed = engine.host.close({ reason, graceMs })
  const closeAtOnce = (): void => void engine.host.close({ reason, graceMs: 0 })
  hurry.addEventListener('abort', closeAtOnce)
  await closed
  hurry.removeEventListener('abort', closeAtOnce)
}

async function untilNothingWorks(engine: Engine, graceMs: number, hurry: AbortSignal): Promise<void> {
  const { core } = engine
  const end = core.clock.monotonic() + graceMs
  while (core.presence.size > 0 && !hurry.aborted && core.clock.monotonic() < end) {
    const ended = new AbortController()
    const watch = core.presence.onEnd(() => ended.abort())
    await core.clock.sleep(end - core.clock.monotonic(), { signal: AbortSignal.any([ended.signal, hurry]) })
    watch()
  }
  await engine.settled()
}
