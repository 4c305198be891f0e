import { expect, test } from 'vitest'
import { createFleet } from '../../../../src/index.ts'
import type { Fleet, FleetOptions } from '../../../../src/index.ts'
import { seededIds } from '../../../../src/host/seeded-ids.ts'
import { createMemoryStore } from '../../../../src/store/memory.ts'
import type { MemoryStore } from '../../../../src/store/memory.ts'
import { memoryFiles } from '../../../../src/testing/memory-files.ts'
import { createVirtualClock, openRecording, replay } from '../../../../src/testing/index.ts'
import type { VirtualClock } from '../../../../src/testing/index.ts'
import { task } from '../../../support/bench-fleet.ts'

interface Stage {
  readonly fleet: Fleet
  readonly store: MemoryStore
  readonly clock: VirtualClock
  /** Resolves with what the promise gives, time moving meanwhile. */
  until<Value>(promise: Promise<Value>): Promise<Value>
}

/** Plays with a fleet that records, closes it, and gives the names of what came in; a replay of it is the same. */
async function cameIn(options: FleetOptions, play: (stage: Stage) => Promise<void>): Promise<ReadonlySet<string>> {
  const clock = createVirtualClock()
  const ids = seededIds('ways')
  const store = createMemoryStore({ clock, ids })
  const until: Stage['until'] = async (promise) => {
    let isSettled = false
    const settle = (): void => void (isSettled = true)
    promise.then(settle, settle)
    // What is let in one at a time takes some turns; an opening looks for processes, which takes real time.
    const giveUpAt = performance.now() + 20_000
    for (let turns = 1; !isSettled; turns += 1) {
      if (performance.now() > giveUpAt) throw new Error('What was waited for did not come.')
      await (turns % 50 === 0 ? clock.step() : new Promise((resolve) => setImmediate(resolve)))
    }
    return promise
  }
  const files = memoryFiles({ '/workspace/there.txt': 'here' })
  const fleet = await until(createFleet({ ...options, store, clock, ids, files, workspace: '/workspace', record: true }))
  await play({ fleet, store, clock, until })
  await until(fleet.close())
  const recording = await openRecording(await fleet.recording())
  const { divergence, ...outcome } = await replay(recording)
  expect(divergence?.text).toBeUndefined()
  expect(outcome).toEqual({ same: true, steps: recording.steps.length })
  return new Set(
    recording.steps.flatMap(({ recorded }) => {
      if (recorded?.input.kind === 'call') return [recorded.input.call]
      return recorded?.input.kind === 'answer' ? [recorded.input.to.split(' ', 1)[0] ?? ''] : [recorded?.input.kind ?? '']
    }),
  )
}

test('CO2 every call is played again: create, add, seal, restart, drain, another worker, delete', async () => {
  const work = { handlers: { work: () => 'done' } }
  const ways = await cameIn(work, async ({ fleet, until }) => {
    const spec = { id: 'open', name: 'open', open: true, tasks: [task('a', { handler: 'work' })] }
    const run = await until(fleet.start(spec, { idempotencyKey: 'once' }))
    expect((await until(fleet.start(spec, { idempotencyKey: 'once' }))).created).toBe(false)
    await until(run.add([task('b', { handler: 'other' })]))
    await expect(until(run.add([task('b')]))).rejects.toMatchObject({ code: 'invalid_document' })
    await until(fleet.addWorker({ id: 'late', handlers: { other: () => 'too' } }))
    await until(run.seal())
    await until(run.result())
    await until(run.restart('b'))
    await until(run.result())
    await until(fleet.drain('late'))
    await until(run.delete())
    await expect(until(run.summary())).rejects.toMatchObject({ code: 'unknown_run' })
  })
  for (const way of ['create', 'add', 'perform', 'addWorker', 'drain', 'delete', 'close', 'store.remove', 'store.row']) {
    expect(ways).toContain(way)
  }
})

test('CO2 what is collected, scored, retained and kept as a snapshot is played again', async () => {
  const options: FleetOptions = {
    handlers: {
      async work({ artifact, log }) {
        await log('working\n')
        await artifact({ kind: 'report', name: 'report.txt', content: 'so it went' })
        return 1
      },
    },
    retention: { endedRuns: 1 },
    slots: 4,
    concurrency: { classes: { heavy: { atOnce: 1 } } },
    limits: { snapshotAfter: 5, taskSlice: 3 },
  }
  const ways = await cameIn(options, async ({ fleet, until }) => {
    for (const id of ['first', 'second']) {
      const tasks = Array.from({ length: 7 }, (_, index) =>
        task(`t${index}`, {
          handler: 'work',
          metadata: { class: 'heavy' },
          scorer: { kind: 'file_exists', path: index === 3 ? 'absent.txt' : 'there.txt' },
          ...(index > 4 && { depends_on: ['t0'] }),
          retry_policy: { max_attempts: 2, initial_backoff_seconds: 1 },
          workspace: { required_files: ['there.txt'] },
        }),
      )
      const run = await until(fleet.start({ id, name: id, tasks }))
      expect((await until(run.result())).status).toBe('failed')
      expect((await until(run.artifacts('t0'))).map(({ artifact }) => artifact.kind)).toContain('report')
    }
    expect((await until(fleet.runs())).map(({ id }) => id)).toEqual(['second'])
  })
  for (const way of ['workspace', 'log', 'collect', 'finish', 'score', 'store.saveSnapshot', 'store.remove', 'deadline']) {
    expect(ways).toContain(way)
  }
})

test('ST10 CO2 a command that another process posts is played again', async () => {
  const ways = await cameIn({ handlers: { slow: ({ delay }) => delay(60_000) } }, async ({ fleet, store, until }) => {
    const run = await until(fleet.start({ name: 'slow', tasks: [task('a', { handler: 'slow' })] }))
    const command = { kind: 'run.cancel', run_id: run.id, by: 'elsewhere' } as const
    const answer = await until(store.peer().post({ id: 'posted-1', command }, { waitMs: 5_000 }))
    expect(answer).toMatchObject({ ok: true, outcome: { changed: true } })
    expect((await until(run.result())).status).toBe('cancelled')
  })
  expect(ways).toContain('inbox.answer')
  expect(ways).toContain('heard')
})
