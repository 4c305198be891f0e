import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Batch, EntryRange, RunRow, Store, StoredEntry } from '../../../../src/ports/store.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { spoil } from './spoil.ts'
import { rowOf } from './store-folder.ts'
import { modelStore } from './witness.ts'

const runs = ['run-a', 'run-b', 'run-c'] as const
type Run = (typeof runs)[number]

/** How the entries of a batch come to be: of a few shapes, in turn. */
interface Written {
  readonly run: Run
  readonly count: number
  readonly shapes: readonly number[]
  readonly text: string
}

/** A part of a run's history; it may begin right behind its end, or reach over it. */
interface Part {
  readonly run: Run
  readonly at: number
  readonly limit: number
  readonly mayShare: boolean
}

const written: fc.Arbitrary<Written> = fc.record({
  run: fc.constantFrom(...runs),
  count: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 6 }) },
    { weight: 1, arbitrary: fc.integer({ min: 7, max: 60 }) },
  ),
  shapes: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
  text: fc.oneof(fc.constantFrom('', 'ü🛟', 'x'.repeat(400)), fc.string()),
})

const part: fc.Arbitrary<Part> = fc.record({
  run: fc.constantFrom(...runs),
  at: fc.nat(),
  limit: fc.nat(70),
  mayShare: fc.boolean(),
})
const by = fc.constantFrom('owner' as const, 'reader' as const)

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      batches: fc.array(written, { minLength: 1, maxLength: 3 }),
      areOneCall: fc.boolean(),
      seen: part,
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('read' as const), by, part }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pages' as const), by, part, limit: fc.integer({ min: 1, max: 25 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
)

/** As a fleet makes them: what does not change is the same from one to the next, and a field that says nothing is undefined. */
function entryOf(shape: number, seq: number, text: string): StoredEntry {
  const kind = ['task.stepped', 'run.noted', 'task.left', 'odd'][shape]
  if (shape === 0)
    return { seq, kind, set: { status: 'running', heard: { attempt: seq % 3, text } }, events: [{ state: 'leased' }] }
  if (shape === 1) return { seq, kind, created: undefined, task: seq % 3 === 0 ? undefined : text, text: `${text} ${seq % 4}` }
  if (shape === 2) return { seq, kind, set: seq % 5 === 0 ? null : { worker: text }, events: [{ at: seq }, { texts: [text] }] }
  return { seq, kind, [`field-${seq % 2}`]: [seq, { text }] }
}

/** What the store has to hold. */
class Model {
  readonly entries: Record<Run, StoredEntry[]> = { 'run-a': [], 'run-b': [], 'run-c': [] }
  readonly rows = new Map<Run, RunRow>()

  append({ run, count, shapes, text }: Written): Batch {
    const after = this.entries[run].length
    const entries = Array.from({ length: count }, (_, index) =>
      entryOf(shapes[index % shapes.length] ?? 0, after + 1 + index, `${text}${index % 3}`),
    )
    const row = rowOf(run, { tasks: after + count })
    this.entries[run].push(...entries)
    this.rows.set(run, row)
    return { run, after, entries, row }
  }

  text(run: Run, { from, limit }: EntryRange, length = this.entries[run].length): string {
    return JSON.stringify(this.entries[run].slice(0, length).slice(from - 1, from - 1 + limit))
  }
}

/** Reads a part; what was read may be changed by whoever read it, where it is theirs. */
async function textOf(store: Store, run: Run, range: EntryRange): Promise<string> {
  const found = await store.read(run, range)
  const text = JSON.stringify(found)
  if (range.mayShare !== true) spoil(found)
  return text
}

/** Reads a run page by page. */
async function examinePages(store: Store, model: Model, run: Run, limit: number, mayShare: boolean): Promise<void> {
  for (let from = 1; from <= model.entries[run].length + 1; from += limit) {
    const range = { from, limit, mayShare }
    expect(await textOf(store, run, range), `${run} from ${from}, ${limit} at a time`).toBe(model.text(run, range))
  }
}

async function examine(store: Store, model: Model): Promise<void> {
  for (const run of runs) {
    await examinePages(store, model, run, 7, false)
    expect(await store.last(run)).toBe(model.entries[run].length)
    expect(await store.row({ id: run })).toEqual(model.rows.get(run))
  }
  expect((await store.runs()).length).toBe(model.rows.size)
}

const rangeOf = (model: Model, { run, at, limit, mayShare }: Part) => ({
  from: 1 + (at % (model.entries[run].length + 2)),
  limit,
  mayShare,
})

test('ST1 ST2 ST6 however entries share lines, every reading gives what was appended, by the owner and by who reads beside it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 45, 200, 16 * 1024),
      fc.constantFrom(1500, 40_000),
      fc.array(step, { minLength: 4, maxLength: 16, size: 'max' }),
      async (lineChars, segmentBytes, steps) => {
        const disk = new ModelDisk()
        const model = new Model()
        const reopened = () => modelStore(disk, { lineChars, segmentBytes, indexDelayMs: 3_600_000 })
        const reader = reopened()
        let owner = reopened()
        await owner.open({ instance: 'owner' })
        for (const one of steps) {
          if (one.kind === 'append') {
            const { run } = one.seen
            const range = rangeOf(model, one.seen)
            const lengths = [model.entries[run].length]
            const batches: Batch[] = []
            for (const batch of one.batches) {
              batches.push(model.append(batch))
              lengths.push(model.entries[run].length)
            }
            const calls = one.areOneCall ? [batches] : batches.map((batch) => [batch])
            const writing = Promise.all(calls.map((call) => owner.append(call)))
            const seen = await textOf(reader, run, range)
            await writing
            expect(lengths.map((length) => model.text(run, range, length))).toContain(seen)
          } else if (one.kind === 'read') {
            const range = rangeOf(model, one.part)
            const store = one.by === 'owner' ? owner : reader
            expect(await textOf(store, one.part.run, range)).toBe(model.text(one.part.run, range))
          } else if (one.kind === 'pages') {
            await examinePages(one.by === 'owner' ? owner : reader, model, one.part.run, one.limit, one.part.mayShare)
          } else {
            if (one.kind === 'close') await owner.close()
            owner = reopened()
            expect((await owner.open({ instance: one.kind })).warnings).toEqual([])
          }
        }
        for (const store of [owner, reader, reopened()]) await examine(store, model)
        await owner.close()
        await examine(reopened(), model)
        expect(disk.handles).toBeLessThanOrEqual(steps.filter(({ kind }) => kind === 'crash').length)
      },
    ),
    { numRuns: 200 },
  )
})
