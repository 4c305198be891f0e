import { releaseAttempt } from '../engine/attempt-end.ts'
import type { Engine } from '../engine/engine.ts'
import type { Decision } from '../engine/entry.ts'
import { snapshotOf } from '../engine/run-loader.ts'
import { isWorking } from '../engine/state.ts'

/**
 * Closes an engine gracefully: no new leases, running attempts get `graceMs`, what is left is released and told to stop, and all is
 * flushed (CO8, LE8).
 */
export async function closeEngine(engine: Engine, graceMs: number): Promise<void> {
  const { core } = engine
  engine.leasing = false
  await untilNothingWorks(engine, graceMs)
  core.turns.report(function* (context): Decision {
    for (const run of core.state.runs.values()) {
      if (run.working === 0) continue
      for (const task of [...run.tasks.values()]) {
        if (isWorking(task.status)) yield* releaseAttempt(context, run, task, { reason: 'fleet_closed', crash: false, stillRunning: true })
      }
    }
  })
  await engine.settled()
  engine.closing = true
  engine.effects.close()
  await engine.host.close({ reason: 'the fleet was closed', graceMs: Math.min(graceMs, core.defaults.stopGraceMs) })
  await engine.effects.idle()
  await engine.reports.idle()
  await engine.settled()
  core.deadlines.close()
  for (const run of core.state.runs.values()) {
    // A snapshot only makes the next opening faster; a disk that cannot take it loses nothing.
    await core.store.saveSnapshot(run.header.id, snapshotOf(run)).catch(() => undefined)
  }
}

async function untilNothingWorks(engine: Engine, graceMs: number): Promise<void> {
  const { core } = engine
  const end = core.clock.monotonic() + graceMs
  while (core.presence.size > 0 && core.clock.monotonic() < end) {
    const ended = new AbortController()
    const watch = core.presence.onEnd(() => ended.abort())
    await core.clock.sleep(end - core.clock.monotonic(), { signal: ended.signal })
    watch()
  }
  await engine.settled()
}
