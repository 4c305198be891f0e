import { describe, expect, test } from 'vitest'
import type { Core } from '../../../src/engine/core.ts'
import { createFleetSnapshots } from '../../../src/engine/fleet-snapshots.ts'
import { createSnapshots } from '../../../src/engine/snapshots.ts'
import type { SnapshotSource } from '../../../src/ports/store.ts'
import { decidedRun } from '../../support/decided-run.ts'

const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

/** A store whose snapshots are saved, or refused, when the test says so. */
function heldStore() {
  const asked: { readonly run: string; readonly source: SnapshotSource; save(): Promise<void>; refuse(): Promise<void> }[] = []
  const saveSnapshot = (run: string, source: SnapshotSource): Promise<void> =>
    new Promise((resolve, reject) => {
      asked.push({
        ...{ run, source },
        save: () => (resolve(), settled()),
        refuse: () => (reject(new Error('The disk is full.')), settled()),
      })
    })
  return { asked, store: { saveSnapshot } as never }
}

/** Runs of some tasks in a state, with snapshots due after 4 entries, or after 2 of an ended one. */
function snapshotting(...counts: readonly number[]) {
  const { asked, store } = heldStore()
  const benches = counts.map((count, index) =>
    decidedRun(Object.fromEntries(Array.from({ length: count }, (_, task) => [`t${task}`, {}])), { header: { id: `r${index}` } }),
  )
  const runs = benches.map(({ run }) => run)
  const state = { runs: new Map(runs.map((run) => [run.header.id, run])) } as never as Core['state']
  const defaults = { snapshotAfter: 4, snapshotAtEndAfter: 2 } as Core['defaults']
  const taken: string[] = []
  const durable = { is: true }
  const snapshots = createSnapshots({ state, store, defaults } as Partial<Core> as Core, {
    durable: () => Promise.resolve(durable.is),
    taken: (run) => void taken.push(run),
  })
  for (const run of runs) run.snapshotSeq = run.seq = 10
  return { asked, runs, state, taken, durable, snapshots }
}

const names = (asked: readonly { readonly run: string }[]) => asked.map(({ run }) => run)

describe('a snapshot of a run', () => {
  test('ST7 it is taken when enough entries came since the last, and not again while it is under way', async () => {
    const { asked, runs, taken, snapshots } = snapshotting(1)
    const run = runs[0]!
    run.seq = 13
    snapshots.consider(run)
    expect(asked).toEqual([])
    run.seq = 14
    snapshots.consider(run)
    expect(names(asked)).toEqual(['r0'])
    expect(asked[0]?.source.seq).toBe(14)
    expect([snapshots.isTaking('r0'), snapshots.isTaking('r1')]).toEqual([true, false])
    run.seq = 30
    snapshots.consider(run)
    await settled()
    expect([names(asked), taken]).toEqual([['r0'], []])
    await asked[0]?.save()
    expect([taken, snapshots.isTaking('r0')]).toEqual([['r0'], false])
    // It counts from where it began.
    expect(run.snapshotSeq).toBe(14)
    snapshots.consider(run)
    expect(names(asked)).toEqual(['r0', 'r0'])
  })

  test('ST7 the larger a run the rarer it is taken, and of one that ended it is taken early; of one that is not open, never', () => {
    const due = (change: (run: ReturnType<typeof snapshotting>['runs'][number]) => void, tasks = 1) => {
      const { asked, runs, snapshots } = snapshotting(tasks)
      change(runs[0]!)
      snapshots.consider(runs[0]!)
      return asked.length === 1
    }
    expect(due((run) => (run.seq = 14), 16)).toBe(true)
    expect(due((run) => (run.seq = 14), 24)).toBe(false)
    expect(due((run) => (run.seq = 16), 24)).toBe(true)
    for (const status of ['completed', 'failed', 'cancelled'] as const) {
      expect(due((run) => Object.assign(run, { seq: 12, status }), 24)).toBe(true)
      expect(due((run) => Object.assign(run, { seq: 11, status }))).toBe(false)
    }
    expect(due((run) => Object.assign(run, { seq: 99, opened: false }))).toBe(false)
  })

  test('ST7 snapshots are taken one after the other, those that became due meanwhile too', async () => {
    const { asked, runs, taken, snapshots } = snapshotting(1, 1, 1)
    for (const run of runs) run.seq = 20
    snapshots.consider(runs[0]!)
    snapshots.consider(runs[1]!)
    await settled()
    expect(names(asked)).toEqual(['r0'])
    await asked[0]?.save()
    expect(names(asked)).toEqual(['r0', 'r1'])
    snapshots.consider(runs[2]!)
    await asked[1]?.save()
    await asked[2]?.save()
    expect([names(asked), taken]).toEqual([
      ['r0', 'r1', 'r2'],
      ['r0', 'r1', 'r2'],
    ])
  })

  test('CO1 of a run that was read again while it waited its turn, what was read is taken', async () => {
    const { asked, runs, state, snapshots } = snapshotting(1, 1)
    for (const run of runs) run.seq = 20
    for (const run of runs) snapshots.consider(run)
    const again = { ...runs[1]!, seq: 30 }
    state.runs.set('r1', again)
    snapshots.consider(again)
    await asked[0]?.save()
    expect(asked[1]?.source.seq).toBe(30)
    expect(await asked[1]?.source.through()).toBe(30)
  })

  test('ST5 one that the disk refuses loses nothing: it is done with, and asked for again later', async () => {
    const { asked, runs, taken, snapshots } = snapshotting(1)
    const run = runs[0]!
    run.seq = 14
    snapshots.consider(run)
    await asked[0]?.refuse()
    expect([taken, run.snapshotSeq, snapshots.isTaking('r0')]).toEqual([['r0'], 14, false])
    snapshots.consider(run)
    expect(asked).toHaveLength(1)
    run.seq = 18
    snapshots.consider(run)
    expect(asked).toHaveLength(2)
  })

  test('CO1 it holds as much as was decided when it was asked, once that is durable; nothing of what was discarded', async () => {
    const { asked, runs, state, durable, snapshots } = snapshotting(1)
    const run = runs[0]!
    run.seq = 14
    snapshots.consider(run)
    run.seq = 17
    const through = asked[0]!.source.through
    const asking = through()
    run.seq = 20
    expect(await asking).toBe(17)
    durable.is = false
    expect(await through()).toBeUndefined()
    durable.is = true
    expect(await through()).toBe(20)
    // It was read again meanwhile.
    state.runs.set('r0', { ...run })
    expect(await through()).toBeUndefined()
  })

  test('CO8 a fleet that closes takes what is worth taking, after what is under way', async () => {
    const { asked, runs, snapshots } = snapshotting(1, 1, 1)
    runs[0]!.seq = 14
    snapshots.consider(runs[0]!)
    runs[1]!.seq = 12
    runs[2]!.seq = 11
    const closed = { is: false }
    void snapshots.close().then(() => (closed.is = true))
    await settled()
    expect(names(asked)).toEqual(['r0'])
    // What came since it was begun is worth another one.
    runs[0]!.seq = 16
    await asked[0]?.save()
    expect([names(asked), closed.is]).toEqual([['r0', 'r0'], false])
    await asked[1]?.save()
    expect([names(asked), closed.is]).toEqual([['r0', 'r0', 'r1'], false])
    await asked[2]?.save()
    expect([asked.length, closed.is]).toEqual([3, true])
  })
})

describe('a snapshot of the stream of the fleet', () => {
  function streaming() {
    const { asked, store } = heldStore()
    const { state } = decidedRun({ a: {} })
    const durable = { is: true }
    const kept: string[] = []
    const snapshots = createFleetSnapshots(store, state, () => Promise.resolve(durable.is))
    return { asked, state, durable, kept, keep: (name: string) => void snapshots.keep().then(() => kept.push(name)) }
  }

  test('ST7 it is saved when something came since the last time, as of then, and not otherwise', async () => {
    const { asked, state, kept, keep } = streaming()
    keep('nothing')
    await settled()
    expect([asked.length, kept]).toEqual([0, ['nothing']])
    state.fleetSeq = 3
    keep('first')
    await settled()
    expect(asked[0]).toMatchObject({ run: 'fleet', source: { seq: 3 } })
    expect(kept).toHaveLength(1)
    state.fleetSeq = 4
    await asked[0]?.save()
    keep('second')
    await asked[1]?.save()
    keep('third')
    await settled()
    expect([asked.length, kept]).toEqual([2, ['nothing', 'first', 'second', 'third']])
  })

  test('ST5 one that the disk refuses rejects nothing, and is saved the next time', async () => {
    const { asked, state, kept, keep } = streaming()
    state.fleetSeq = 3
    keep('refused')
    await asked[0]?.refuse()
    keep('again')
    await asked[1]?.save()
    expect([asked.length, kept]).toEqual([2, ['refused', 'again']])
  })

  test('CO1 it holds as much as was decided when it was asked, once that is durable, else nothing', async () => {
    const { asked, state, durable, keep } = streaming()
    state.fleetSeq = 3
    keep('it')
    const asking = asked[0]!.source.through()
    state.fleetSeq = 5
    expect(await asking).toBe(3)
    expect(await asked[0]!.source.through()).toBe(5)
    durable.is = false
    expect(await asked[0]!.source.through()).toBeUndefined()
  })
})
