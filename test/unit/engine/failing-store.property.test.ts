import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openControl } from '../../../src/fleet/control.ts'
import type { Batch } from '../../../src/ports/store.ts'
import { FleetError } from '../../../src/protocol/errors.ts'
import type { AppendFate } from '../../../src/store/memory-commit.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { MemoryStore } from '../../../src/store/memory.ts'
import { seededIds } from '../../../src/host/seeded-ids.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { eventsOf, journalOf } from '../../support/journal.ts'

const fates: readonly AppendFate[] = ['store', 'store', 'refuse', 'store-then-unknown', 'drop-then-unknown']

test('CO1 ST1 DE4 whatever becomes of appends: callers learn the truth, nothing is told that is not stored, and the run ends when faults do', async () => {
  const act = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    what: fc.constantFrom('accept', 'complete', 'fail', 'pause', 'resume', 'restart', 'cancel', 'usage', 'wait', 'read'),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 3, maxLength: 20 }),
      fc.infiniteStream(fc.constantFrom(...fates)),
      async (acts, stream) => {
        let faulty = false
        const fate = (): AppendFate => (faulty ? (stream.next().value ?? 'store') : 'store')
        const bench = await openBench({ slots: 2, storeParts: { beforeAppend: fate } })
        const { fleet, clock, transport, store, heard } = bench
        const run = await fleet.start({
          name: 'r',
          tasks: ['a', 'b', 'c'].map((id) => task(id, { retry_policy: { initial_backoff_seconds: 1 } })),
        })
        await clock.settle()
        faulty = true
        const asked: Promise<unknown>[] = []
        const said: { what: string; outcome: unknown }[] = []
        const ask = (what: string, command: Promise<unknown>): void => {
          asked.push(
            command.then(
              (outcome) => said.push({ what, outcome }),
              (error: unknown) => said.push({ what, outcome: error }),
            ),
          )
        }
        let spent = 0
        for (const { id, what } of acts) {
          const held = transport.attempts.findLast((one) => one.assign.task_id === id)
          if (what === 'pause') ask(what, run.pause())
          else if (what === 'resume') ask(what, run.resume())
          else if (what === 'restart') ask(what, run.restart(id))
          else if (what === 'cancel') ask(what, run.cancelTask(id))
          else if (what === 'read') ask(what, run.tasks())
          else if (what === 'wait') await clock.advance(1_000)
          else if (what === 'usage') {
            if (held !== undefined) spent += 1
            held?.send({ type: 'usage', input_tokens: 1, output_tokens: 0 } as never)
          } else if (what === 'fail') held?.fail('no')
          else held?.[what]()
          if (what === 'wait' || what === 'accept') await clock.settle()
        }
        await clock.advance(5_000)
        faulty = false
        await clock.advance(20_000)
        await Promise.all(asked)
        for (const { what, outcome } of said) {
          if (!(outcome instanceof Error)) continue
          expect(what).not.toBe('read')
          expect(FleetError.is(outcome) && outcome.retryable, String(outcome)).toBe(true)
        }
        // What changed something is in the journal, as often as it was told.
        const journal = await journalOf(store, run.id)
        const told = (what: string) =>
          said.filter((one) => one.what === what && (one.outcome as { changed?: boolean }).changed === true).length
        const pauses = journal.filter((entry) => entry.run?.status === 'paused').length
        expect(pauses).toBe(told('pause'))
        expect(journal.reduce((sum, entry) => Math.max(sum, entry.seq), 0)).toBe(journal.length)
        // Everything that was told live is stored, in the same words, once.
        const stored = new Map((await eventsOf(run)).map((event) => [event.cursor, event]))
        const live = heard.filter(
          (event) => event.cursor !== '' && event.event !== 'worker.heartbeat' && event.event !== 'run.stalled',
        )
        expect(new Set(live.map((event) => event.cursor)).size).toBe(live.length)
        for (const event of live) expect(event).toEqual(stored.get(event.cursor))
        expect(live).toHaveLength(stored.size)
        // What is in memory is what the store would give.
        expect(await openControl(store.peer()).run(run.id).tasks()).toEqual(await run.tasks())
        // Usage counts once each.
        expect(journal.filter((entry) => entry.set?.inputTokens !== undefined)).toHaveLength(spent)
        // The faults are over: the run comes to its end.
        await run.resume()
        for (let round = 0; round < 30; round += 1) {
          for (const held of transport.attempts.slice()) {
            if (held.stopped !== undefined) held.confirm()
            else held.complete({ exit_code: 0 })
          }
          await clock.advance(2_000)
        }
        expect((await run.summary()).status).toMatch(/completed|failed|cancelled/)
        expect(fleet.workers()[0]).toMatchObject({ status: 'online', busy: 0 })
      },
    ),
    { numRuns: 60, seed: 20300101 },
  )
})

test('CO1 ST1 an append of two runs of which one was stored: that one goes on, the other is decided again', async () => {
  const clock = createVirtualClock()
  const base = createMemoryStore({ clock, ids: seededIds('store') })
  let tear = false
  // All or nothing per run: the first run of the append is stored, the second is not, and nobody is told which.
  const store = new Proxy(base, {
    get(target, name) {
      if (name === 'append') {
        return async (batches: readonly Batch[]) => {
          if (!tear || batches.length < 2) return target.append(batches)
          tear = false
          await target.append(batches.slice(0, 1))
          throw new FleetError('outcome_unknown', 'It was cut off.')
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  }) as MemoryStore
  const { fleet, transport } = await openBench({ store, clock, slots: 2 })
  const one = await fleet.start({ id: 'one', name: 'one', tasks: [task('a'), task('c'), task('e')] })
  const two = await fleet.start({ id: 'two', name: 'two', tasks: [task('b'), task('d')] })
  await clock.settle()
  tear = true
  // Both ends, and the leases that follow them, fall into one append.
  for (const held of transport.attempts) held.complete()
  await clock.advance(10_000)
  expect(tear).toBe(false)
  for (let round = 0; round < 5; round += 1) {
    for (const held of transport.attempts.slice()) held.complete()
    await clock.advance(1_000)
  }
  expect([(await one.summary()).status, (await two.summary()).status]).toEqual(['completed', 'completed'])
  for (const run of [one, two]) {
    const receipts = await run.receipts()
    expect(new Set(receipts.map((receipt) => receipt.task_id)).size).toBe(receipts.length)
  }
})
