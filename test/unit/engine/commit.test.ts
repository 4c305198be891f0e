import { expect, test } from 'vitest'
import { createCommits } from '../../../src/engine/commit.ts'
import type { Recovery, Turn } from '../../../src/engine/commit.ts'
import type { Entry } from '../../../src/engine/entry.ts'
import type { Batch, Store } from '../../../src/ports/store.ts'
import { FleetError } from '../../../src/protocol/errors.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'

/** Commits to a store whose appends end when the test says so; `log` tells what was said to whom, in order. */
function bench(stored: Record<string, number> = {}) {
  const clock = createVirtualClock()
  const log: string[] = []
  const errors: FleetError[] = []
  const appends: { batches: readonly Batch[]; ok: () => void; fail: (error: unknown) => void }[] = []
  const append: Store['append'] = (batches) => new Promise((ok, fail) => appends.push({ batches, ok, fail }))
  const recovery: Recovery = {
    restore: (runs) => {
      log.push(`restore ${[...runs].join(' ')}`)
      return Promise.resolve(new Map(Object.entries(stored)))
    },
    followed: () => void log.push('followed'),
    resumed: () => void log.push('resumed'),
    rowOf: (run) => ({ id: run, name: run, status: 'queued', tasks: 1, createdAt: 0, updatedAt: 0 }),
  }
  const commits = createCommits({ clock, store: { append } as Store }, recovery)
  return {
    ...{ clock, log, errors, appends, commits },
    /** Pushes a turn of entries, given as `run/seq`. */
    push(name: string, ...entries: string[]) {
      const turn: Turn = {
        entries: entries.map((one) => ({ run: one.split('/')[0] ?? '', entry: entryOf(Number(one.split('/')[1])) })),
        durable: () => void log.push(`${name} durable`),
        stored: (kept) => void log.push(`${name} stored ${kept.map(({ run, entry }) => `${run}/${entry.seq}`).join(' ')}`),
        discarded(error) {
          errors.push(error)
          log.push(`${name} ${error.code}`)
        },
      }
      commits.push(turn)
    },
    /** The append that is asked for next, ended. */
    async end(error?: unknown) {
      await clock.settle()
      const next = appends.at(-1)
      if (error === undefined) next?.ok()
      else next?.fail(error)
      await clock.settle()
    },
  }
}

const entryOf = (seq: number, more: Partial<Entry> = {}): Entry => ({ seq, at: 0, kind: 'task.stepped', ...more })
const failed = (code: 'not_stored' | 'outcome_unknown') => new FleetError(code, 'It failed.')

test('ST3 what is decided in one turn of the event loop is one append, a batch for each run', async () => {
  const { push, appends, end, log } = bench()
  push('a', 'r/4', 'r/5', 's/1')
  push('b', 'r/6')
  await end()
  expect(appends).toHaveLength(1)
  expect(appends[0]?.batches.map(({ run, after, entries }) => [run, after, entries.map(({ seq }) => seq)])).toEqual([
    ['r', 3, [4, 5, 6]],
    ['s', 0, [1]],
  ])
  expect(log).toEqual(['a durable', 'b durable', 'followed'])
})

test('ST2 the row of a run goes with what changes the run, and only with that', async () => {
  const { commits, appends, clock } = bench()
  const turn = (entry: Entry, run: string): Turn => ({
    ...{ entries: [{ run, entry }], durable: () => undefined, stored: () => undefined, discarded: () => undefined },
  })
  commits.push(turn(entryOf(1, { run: { updatedAt: 1 } }), 'r'))
  commits.push(turn(entryOf(1), 's'))
  await clock.settle()
  expect(appends[0]?.batches.map(({ row }) => row?.id)).toEqual(['r', undefined])
})

test('CO1 what is decided while the disk writes is the next append, and is told after the first', async () => {
  const { push, appends, end, clock, log } = bench()
  push('a', 'r/1')
  await clock.settle()
  push('b', 'r/2')
  await clock.settle()
  expect(appends).toHaveLength(1)
  await end()
  expect(log).toEqual(['a durable', 'followed'])
  expect(appends[1]?.batches).toMatchObject([{ run: 'r', after: 1 }])
  await end()
  expect(log).toEqual(['a durable', 'followed', 'b durable', 'followed'])
})

test('CO1 a turn that decided nothing waits for what came before it, and for nothing after; the store is not asked', async () => {
  const { push, appends, clock, log } = bench()
  push('nothing')
  await clock.settle()
  expect([appends, log]).toEqual([[], ['nothing durable', 'followed']])
  push('first')
  push('second', 'r/1')
  push('third')
  await clock.settle()
  expect(log.slice(2)).toEqual(['first durable'])
  appends[0]?.ok()
  await clock.settle()
  expect(log.slice(3)).toEqual(['second durable', 'third durable', 'followed'])
})

test('CO1 whoever asks is told once all that was pushed before is durable, or that some of it was discarded', async () => {
  const { commits, push, end, clock } = bench()
  expect(await commits.durable()).toBe(true)
  const told: string[] = []
  const ask = (name: string) => void commits.durable().then((is) => told.push(`${name} ${is}`))
  push('a', 'r/1')
  ask('queued')
  await clock.settle()
  ask('writing')
  push('b', 'r/2')
  ask('next')
  await end()
  expect(told).toEqual(['queued true', 'writing true'])
  await end(failed('not_stored'))
  expect(told).toEqual(['queued true', 'writing true', 'next false'])
})

test('CO1 a failed append discards its turns and what was decided since, and all who asked are told', async () => {
  const { commits, push, end, clock, log, errors } = bench()
  push('a', 'r/1')
  await clock.settle()
  push('b', 's/1', 'r/2')
  const asked = commits.durable()
  const error = failed('not_stored')
  await end(error)
  expect(log).toEqual(['restore r s', 'a not_stored', 'b not_stored', 'followed', 'resumed'])
  expect(errors).toEqual([error, error])
  expect(await asked).toBe(false)
  // It goes on from there.
  push('c', 'r/1')
  await end()
  expect(log.slice(5)).toEqual(['c durable', 'followed'])
})

test('ST1 of an append with an unknown outcome that is durable which was stored, run by run; what came since is not', async () => {
  const { push, end, clock, log } = bench({ r: 2, s: 0 })
  push('whole', 'r/1', 'r/2')
  push('half', 'r/2', 's/1')
  push('none', 's/2')
  push('elsewhere', 't/1')
  await clock.settle()
  push('since', 'r/1')
  await end(failed('outcome_unknown'))
  expect(log).toEqual([
    'restore r s t',
    'whole durable',
    ...['half stored r/2', 'half outcome_unknown', 'none outcome_unknown', 'elsewhere outcome_unknown', 'since outcome_unknown'],
    ...['followed', 'resumed'],
  ])
})

test('ST1 an append that was refused stored nothing, whatever the store holds', async () => {
  const { push, end, log } = bench({ r: 9 })
  push('a', 'r/1')
  await end(failed('not_stored'))
  expect(log).toContain('a not_stored')
})

test('RU2 an id that exists is blamed on who creates it; what shared the append may be asked again', async () => {
  const { push, end, errors } = bench()
  const exists = new FleetError('run_exists', 'It exists.', { details: { run: 'r' } })
  push('creates', 'r/1', 'x/1')
  push('shares', 's/1')
  await end(exists)
  expect(errors.map(({ code }) => code)).toEqual(['run_exists', 'not_stored'])
  expect([errors[0], errors[1]?.cause]).toEqual([exists, exists])
  // Another refusal is everybody's, and so is one that names no run.
  const others = [
    new FleetError('store_conflict', 'It moved.', { details: { run: 'r' } }),
    new FleetError('run_exists', 'Some run exists.'),
  ]
  for (const error of others) {
    const again = bench()
    again.push('shares', 's/1')
    await again.end(error)
    expect(again.errors).toEqual([error])
  }
})

test('ST5 what a store throws that is no error of the fleet counts as not stored, with its cause', async () => {
  const { push, end, errors } = bench()
  const cause = new Error('It broke.')
  push('a', 'r/1')
  await end(cause)
  expect(errors).toMatchObject([{ code: 'not_stored', retryable: true }])
  expect(errors[0]?.cause).toBe(cause)
})

test('CO8 it is settled when everything that was pushed is, and idle only then', async () => {
  const { commits, push, end, clock } = bench()
  expect(commits.idle).toBe(true)
  await commits.settled()
  push('a', 'r/1')
  expect(commits.idle).toBe(false)
  let settled = false
  void commits.settled().then(() => (settled = true))
  await clock.settle()
  push('b', 'r/2')
  await end()
  expect([settled, commits.idle]).toEqual([false, false])
  await end()
  expect([settled, commits.idle]).toEqual([true, true])
})
