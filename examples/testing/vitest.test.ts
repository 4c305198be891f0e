// Worked tests for Vitest; node.test.ts has the same for Node's own runner. Copy what you need: `npx vitest run vitest.test.ts`.
import { assertRun, createTestFleet, script, timeline, worker } from 'flotilla/testing'
import { expect, test } from 'vitest'

const ship = { id: 'ship', name: 'Ship', instructions: 'Ship it.' }

test('a flaky tool costs one attempt, and the wait before the next', async () => {
  await using fleet = await createTestFleet({
    workers: [
      worker('w1').on(
        'ship',
        script().after('2s').tool('cargo').fail('no compiler'),
        script().after('20m').tool('cargo').complete({ ok: true }),
      ),
    ],
  })
  const run = await fleet.start({ name: 'flaky', tasks: [ship] })
  await fleet.until(run.result())

  await assertRun(run, { status: 'completed', tasks: { ship: { attempts: 2, output: { ok: true } } } })
  expect(await timeline(run)).toMatchInlineSnapshot(`
    "+0s      run           created with 1 task
    +0s      ship          queued
    +0s      run           queued, running
    +0s      ship#1 on w1  leased, running
    +2s      ship#1 on w1  tool cargo, failed: no compiler
    +2s      ship#1        receipt fail (task)
    +7s      ship          queued
    +7s      ship#2 on w1  leased, running
    +20m07s  ship#2 on w1  tool cargo
    +20m07s  ship#2        receipt partial, ended completed
    +20m07s  run           completed, alert run_completed
    "
  `)
})

test('a stuck worker loses its lease after a minute, and another one takes the task', async () => {
  await using fleet = await createTestFleet({
    workers: [worker('stuck').otherwise(script().stall()), worker('well').otherwise(script().after('1m').complete())],
  })
  const run = await fleet.start({ name: 'stuck', tasks: [ship] })

  await fleet.advance('59s')
  await assertRun(run, { tasks: { ship: { status: 'running', worker: 'stuck' } } })
  await fleet.until(run.result())
  await assertRun(run, { tasks: { ship: { status: 'completed', attempts: 2, worker: 'well' } } })
})

test('a budget that is spent asks for what there is, which then counts as partial', async () => {
  await using fleet = await createTestFleet({
    workers: [worker('w1').on('ship', script().usage({ outputTokens: 501 }).untilHandBack().complete({ pages: 3 }))],
  })
  const run = await fleet.start({ name: 'budget', tasks: [{ ...ship, budget: { max_tokens: 500 } }] })
  await fleet.until(run.result())

  await assertRun(run, { status: 'completed', tasks: { ship: { attempts: 1, result: 'partial', output: { pages: 3 } } } })
  expect((await run.receipt('ship'))?.evidence).toContain('501 of 500 tokens')
})

test('a crash in the middle costs no retry, and the number of the attempt is a fence', async () => {
  const charged: number[] = []
  await using fleet = await createTestFleet({
    workers: [
      worker('w1').on('ship', async ({ number, delay }) => {
        charged.push(number)
        await delay(30_000)
        return 'paid'
      }),
    ],
  })
  const { id } = await fleet.start({ name: 'crash', tasks: [{ ...ship, retry_policy: { max_attempts: 1 } }] })
  await fleet.advance('10s')
  await fleet.crash({ downFor: '5m' })

  const run = await fleet.run(id)
  await fleet.until(run.result())
  await assertRun(run, { status: 'completed', tasks: { ship: { attempts: 2, output: 'paid' } } })
  expect(charged).toEqual([1, 2])
})

test.each([
  { moment: 4_999, changed: true, status: 'cancelled' },
  { moment: 5_000, changed: false, status: 'completed' },
  { moment: 5_001, changed: false, status: 'completed' },
] as const)('a cancel after $moment ms leaves a task of 5 s $status', async ({ moment, changed, status }) => {
  await using fleet = await createTestFleet({ workers: [worker('w1').on('ship', script().after('5s').complete())] })
  const run = await fleet.start({ name: 'race', tasks: [ship] })
  await fleet.advance(moment)

  expect(await run.cancelTask('ship')).toMatchObject({ changed })
  await assertRun(run, { tasks: { ship: status } })
})
