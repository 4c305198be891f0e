import { expect, test } from 'vitest'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { FleetEvent } from '../../../src/protocol/fleet-event.ts'
import { openControl } from '../../../src/fleet/control.ts'

const tagged = [
  task('a', { tags: ['x', 'slow'] }),
  task('b', { tags: ['y'] }),
  task('c', { depends_on: ['a'] }),
  task('d', { tags: ['z'] }),
  task('e'),
]

async function openRun(slots = 5) {
  const bench = await openBench({ slots })
  const run = await bench.fleet.start({ name: 'r', tasks: tagged })
  await bench.clock.settle()
  return { ...bench, run }
}

async function collect(events: AsyncIterable<FleetEvent>): Promise<FleetEvent[]> {
  const all: FleetEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

test('RU5 cancel by tags cancels the tasks with one of them, and what depends on them; the others go on', async () => {
  const { run, clock, transport } = await openRun()
  expect(await run.cancel({ tags: ['slow', 'y'], by: 'ada', reason: 'enough' })).toEqual({
    changed: true,
    message: '2 open task(s) with one of the tags slow, y were cancelled.',
  })
  await clock.settle()
  const statuses = Object.fromEntries((await run.tasks()).map(({ id, status }) => [id, status]))
  expect(statuses).toEqual({ a: 'cancelled', b: 'cancelled', c: 'cancelled', d: 'starting', e: 'starting' })
  expect(transport.attempt('a').stopped).toMatchObject({ reason: 'enough' })
  expect((await run.summary()).status).toBe('running')
})

test('RU5 cancel by tags that no open task has changes nothing and says so; no tags at all mean the run', async () => {
  const { run } = await openRun()
  for (const tags of [['nobody'], []]) expect(await run.cancel({ tags })).toMatchObject({ changed: false })
  expect((await run.tasks()).some(({ status }) => status === 'cancelled')).toBe(false)
  expect(await run.cancel()).toMatchObject({ changed: true })
  expect((await run.summary()).status).toBe('cancelled')
})

test('RU5 a run whose last open tasks are cancelled by tag ends', async () => {
  const { run, clock, transport } = await openRun()
  await run.cancel({ tags: ['x', 'y', 'z'] })
  transport.attempt('e').complete()
  await clock.settle()
  expect(await run.result()).toMatchObject({ status: 'cancelled' })
})

test('RU5 ST10 cancelling by tags reaches a run from another process', async () => {
  const { fleet, store } = await openBench()
  const run = await fleet.create({ name: 'r', tasks: tagged })
  await fleet.close()
  const control = openControl(store.peer())
  const outcome = await control.perform({ kind: 'tasks.cancel', run_id: run.id, tags: ['y'], by: 'ada' })
  expect(outcome).toMatchObject({ changed: true, by: 'here' })
  expect(await control.run(run.id).task('b')).toMatchObject({ status: 'cancelled' })
  expect(await control.run(run.id).task('d')).not.toMatchObject({ status: 'cancelled' })
})

test('EV2 events of tags are those of the tasks with one of them, in their order and with their cursors', async () => {
  const { run, clock, transport } = await openRun()
  for (const id of ['a', 'b', 'd', 'e']) transport.attempt(id).complete()
  await clock.settle()
  transport.attempt('c').complete()
  await clock.settle()
  const all = await collect(run.events())
  const wanted = all.filter(({ task_id }) => task_id === 'a' || task_id === 'd')
  expect(wanted.length).toBeGreaterThan(8)
  expect(await collect(run.events({ tags: ['slow', 'z'] }))).toEqual(wanted)
  expect(await collect(run.events({ tags: ['nobody'] }))).toEqual([])
  const middle = all[Math.floor(all.length / 2)]?.cursor ?? ''
  const rest = wanted.filter((event) => all.indexOf(event) > Math.floor(all.length / 2))
  expect(await collect(run.events({ tags: ['slow', 'z'], after: middle }))).toEqual(rest)
})

test('EV7 pages of tags hold the events of the tasks with one of them, the newest or after a cursor', async () => {
  const { run, clock, transport } = await openRun()
  for (const id of ['a', 'b', 'd', 'e']) transport.attempt(id).complete()
  await clock.settle()
  const of = (id: string) => (event: FleetEvent) => event.task_id === id
  const wanted = (await run.replay({ limit: 1000 })).events.filter(of('b'))
  expect(await run.replay({ tags: ['y'], limit: 2 })).toMatchObject({ events: wanted.slice(-2), history_truncated: true })
  const pages: FleetEvent[] = []
  const [first] = (await run.replay({ limit: 1000 })).events
  for (let after = first?.cursor ?? '', more = true; more;) {
    const page = await run.replay({ tags: ['y'], after, limit: 2 })
    pages.push(...page.events)
    more = page.has_more
    after = page.next_cursor ?? after
  }
  expect(pages).toEqual(wanted)
})

test('EV2 events of tags include tasks that are added while they are read', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 3 })
  const run = await fleet.start({ name: 'r', open: true, tasks: [task('a', { tags: ['x'] })] })
  const reading = collect(run.events({ tags: ['x'] }))
  await clock.settle()
  await run.add([task('late', { tags: ['x'] }), task('other')])
  await run.seal()
  await clock.settle()
  for (const id of ['a', 'late', 'other']) transport.attempt(id).complete()
  await clock.settle()
  expect([...new Set((await reading).map(({ task_id }) => task_id))]).toEqual(['a', 'late'])
})

test('RU9 explainAll tells of every task that has not ended, or of those with one of the tags', async () => {
  const { run, clock, transport } = await openRun(1)
  expect((await run.explainAll()).map(({ task_id }) => task_id)).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(await run.explainAll({ tags: ['y', 'z'] })).toEqual([await run.explain('b'), await run.explain('d')])
  transport.attempt('a').complete()
  await clock.settle()
  expect((await run.explainAll({ tags: ['x'] })).map(({ task_id }) => task_id)).toEqual([])
})
