import { expect, test } from 'vitest'
import { createAnnouncer } from '../../../src/engine/announcer.ts'
import type { Entry } from '../../../src/engine/entry.ts'
import type { RunHeader } from '../../../src/engine/run-header.ts'
import type { FleetEventName } from '../../../src/protocol/fleet-event.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { task } from '../../support/bench-fleet.ts'

const created: RunHeader = {
  ...{ id: 'r', name: 'r', short: 's', labels: {}, worker_specs: [], open: false, workspace: '/w', createdAt: 0 },
}
const run = (id: string) => ({ id, short: id, name: id })
const entry = (seq: number, fields: Partial<Entry> = {}): Entry => ({ seq, at: 0, kind: 'task.stepped', ...fields })
/** An entry of one event. */
const said = (seq: number, fields: Partial<Entry> = {}): Entry => entry(seq, { kind: 'run.sealed', ...fields })
const opening = (seq: number): Entry => entry(seq, { run: { status: 'queued', opened: true } })
const spec = FleetTaskSpec.parse(task('a'))
const tasks = (count: number) => Array.from({ length: count }, () => ({ id: spec.id, spec, set: { status: 'blocked' } as const }))

function listening(isListenedTo: (name: FleetEventName) => boolean = () => true) {
  const { clock, ...rest } = { clock: createVirtualClock(), told: [] as string[], hasListeners: true }
  const turns: (() => void)[] = []
  const bench = { ...rest, turns }
  const announcer = createAnnouncer(
    { monotonic: () => clock.monotonic(), turn: () => new Promise((resolve) => turns.push(resolve)) },
    {
      announce: ({ run_id, cursor, event }) =>
        void bench.told.push(`${run_id}:${Number.parseInt(cursor.split('_')[2]!, 36)} ${event}`),
      hasListeners: () => bench.hasListeners,
      isListenedTo,
    },
  )
  return Object.assign(bench, {
    announcer,
    hear: (id: string, ...entries: Entry[]) => entries.forEach((one) => announcer.hear(run(id), one)),
  })
}

test('EV1 what is durable is told at once, in order, as long as somebody listens', () => {
  const bench = listening()
  bench.hear('r', said(1), entry(2), said(3, { run: { status: 'completed' } }))
  expect(bench.told).toEqual(['r:1 run.sealed', 'r:3 run.sealed', 'r:3 run.status_changed'])
  bench.hasListeners = false
  bench.hear('r', said(4))
  bench.hasListeners = true
  bench.hear('r', said(5))
  expect(bench.told.slice(3)).toEqual(['r:5 run.sealed'])
})

test('EV3 what nobody listens to is not told', () => {
  const bench = listening((name) => name === 'run.status_changed')
  bench.hear('r', said(1, { run: { status: 'completed' } }))
  expect(bench.told).toEqual(['r:1 run.status_changed'])
})

test('RU1 nothing is told of a run before it is opened, then all of it; other runs do not wait for it', () => {
  const bench = listening()
  bench.hear('r', said(1, { created }), said(2))
  bench.hear('other', said(1))
  expect(bench.told).toEqual(['other:1 run.sealed'])
  // Some other change of the run does not open it.
  bench.hear('r', entry(3, { run: { updatedAt: 1 } }), entry(4, { run: { opened: false } }))
  expect(bench.told).toHaveLength(1)
  bench.hear('r', opening(5))
  const whole = ['r:1 run.created', 'r:1 run.sealed', 'r:2 run.sealed', 'r:5 run.status_changed']
  expect(bench.told.slice(1)).toEqual(whole)
  bench.hear('r', said(6))
  expect(bench.told.slice(5)).toEqual(['r:6 run.sealed'])
})

test('RU1 a run that is created and opened by one entry is told at once', () => {
  const bench = listening()
  bench.hear('r', entry(1, { created, run: { opened: true } }))
  expect(bench.told).toEqual(['r:1 run.created'])
})

test('RU1 of a run that was taken back nobody hears, and one of the same name begins anew', () => {
  const bench = listening()
  bench.hear('r', said(1, { created }), said(2))
  bench.announcer.forget('other')
  bench.announcer.forget('r')
  bench.hear('r', said(1, { created, run: { opened: true } }))
  expect(bench.told).toEqual(['r:1 run.created', 'r:1 run.sealed'])
  // What was held is let go of, not kept for an opening that is none of its own.
  bench.hear('r', said(1, { created }))
  bench.announcer.forget('r')
  bench.hear('r', opening(2))
  expect(bench.told.slice(2)).toEqual(['r:2 run.status_changed'])
})

test('EV1 two thousand tasks, or entries, are told at once; of more the first are told, and the others after turns', async () => {
  const slices = async (entries: readonly Entry[]) => {
    const bench = listening()
    bench.hear('r', entry(0, { created }), ...entries, opening(9_999))
    const lengths = [bench.told.length]
    for (let resume = bench.turns.shift(); resume !== undefined; resume = bench.turns.shift()) {
      resume()
      await Promise.resolve()
      lengths.push(bench.told.length)
    }
    return lengths
  }
  const entries = (count: number) => Array.from({ length: count }, (_, index) => said(index + 1))
  // With the entries that create and open it, two more than these, with an event each.
  expect(await slices(entries(1_998))).toEqual([2_000])
  expect(await slices(entries(1_999))).toEqual([...Array.from({ length: 8 }, (_, index) => 250 * (index + 1)), 2_001])
  const heavy = entries(996).map((one, index) => (index < 3 ? { ...one, tasks: tasks(335) } : one))
  expect(await slices(heavy)).toEqual([998])
  expect(await slices([...heavy, said(997)])).toEqual([250, 500, 750, 999])
})

test('EV1 what comes while much is told waits behind it, and whoever asks hears when all is told', async () => {
  const bench = listening()
  bench.hear('r', entry(0, { created }), ...Array.from({ length: 2_100 }, (_, index) => said(index + 1)), opening(3_000))
  bench.hear('other', said(1), said(2))
  bench.hear('r', said(3_001))
  expect(bench.told).toHaveLength(250)
  let isIdle = false
  const idle = bench.announcer.idle().then(() => (isIdle = true))
  while (bench.turns.length > 0) {
    expect(isIdle).toBe(false)
    bench.turns.shift()?.()
    await Promise.resolve()
  }
  await idle
  expect(bench.told.slice(-4)).toEqual([
    'r:3000 run.status_changed',
    'other:1 run.sealed',
    'other:2 run.sealed',
    'r:3001 run.sealed',
  ])
  expect(bench.told).toHaveLength(2_105)
  bench.hear('r', said(3_002))
  expect(bench.told.at(-1)).toBe('r:3002 run.sealed')
  await bench.announcer.idle()
})

test('EV1 what comes in the very turn in which much was told waits for nothing that will not come', async () => {
  const bench = listening()
  bench.hear('r', entry(1, { created, tasks: tasks(2_100) }), opening(2))
  bench.hear('r', said(3))
  await bench.announcer.idle()
  bench.hear('r', said(4))
  expect(bench.told).toEqual(['r:1 run.created', 'r:2 run.status_changed', 'r:3 run.sealed', 'r:4 run.sealed'])
})
