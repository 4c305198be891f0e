// Worked tests for Node's own runner; vitest.test.ts has the same for Vitest. Copy what you need: `node --test node.test.ts`, and on a
// Node that does not take types away by itself `node --import tsx --test node.test.ts`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertRun, createTestFleet, script, timeline, worker } from 'flotilla/testing'

const ship = { id: 'ship', name: 'Ship', instructions: 'Ship it.' }

test('a flaky tool costs one attempt, and the wait before the next', async (t) => {
  const fleet = await createTestFleet({
    workers: [
      worker('w1').on(
        'ship',
        script().after('2s').tool('cargo').fail('no compiler'),
        script().after('20m').tool('cargo').complete({ ok: true }),
      ),
    ],
  })
  t.after(() => fleet.close())
  const run = await fleet.start({ name: 'flaky', tasks: [ship] })
  await fleet.until(run.result())

  await assertRun(run, { status: 'completed', tasks: { ship: { attempts: 2, output: { ok: true } } } })
  assert.match(await timeline(run), /^\+7s +ship#2 on w1 +leased, running$/m)
})

test('a stuck worker loses its lease after a minute, and another one takes the task', async (t) => {
  const fleet = await createTestFleet({
    workers: [worker('stuck').otherwise(script().stall()), worker('well').otherwise(script().after('1m').complete())],
  })
  t.after(() => fleet.close())
  const run = await fleet.start({ name: 'stuck', tasks: [ship] })

  await fleet.advance('59s')
  await assertRun(run, { tasks: { ship: { status: 'running', worker: 'stuck' } } })
  await fleet.until(run.result())
  await assertRun(run, { tasks: { ship: { status: 'completed', attempts: 2, worker: 'well' } } })
})

test('a budget that is spent asks for what there is, which then counts as partial', async (t) => {
  const fleet = await createTestFleet({
    workers: [worker('w1').on('ship', script().usage({ outputTokens: 501 }).untilHandBack().complete({ pages: 3 }))],
  })
  t.after(() => fleet.close())
  const run = await fleet.start({ name: 'budget', tasks: [{ ...ship, budget: { max_tokens: 500 } }] })
  await fleet.until(run.result())

  await assertRun(run, { status: 'completed', tasks: { ship: { attempts: 1, result: 'partial', output: { pages: 3 } } } })
  assert.match((await run.receipt('ship'))?.evidence ?? '', /501 of 500 tokens/)
})

test('a crash in the middle costs no retry, and the number of the attempt is a fence', async (t) => {
  const charged: number[] = []
  const fleet = await createTestFleet({
    workers: [
      worker('w1').on('ship', async ({ number, delay }) => {
        charged.push(number)
        await delay(30_000)
        return 'paid'
      }),
    ],
  })
  t.after(() => fleet.close())
  const { id } = await fleet.start({ name: 'crash', tasks: [{ ...ship, retry_policy: { max_attempts: 1 } }] })
  await fleet.advance('10s')
  await fleet.crash({ downFor: '5m' })

  const run = await fleet.run(id)
  await fleet.until(run.result())
  await assertRun(run, { status: 'completed', tasks: { ship: { attempts: 2, output: 'paid' } } })
  assert.deepEqual(charged, [1, 2])
})

for (const { moment, changed, status } of [
  { moment: 4_999, changed: true, status: 'cancelled' },
  { moment: 5_000, changed: false, status: 'completed' },
  { moment: 5_001, changed: false, status: 'completed' },
] as const) {
  test(`a cancel after ${moment} ms leaves a task of 5 s ${status}`, async (t) => {
    const fleet = await createTestFleet({ workers: [worker('w1').on('ship', script().after('5s').complete())] })
    t.after(() => fleet.close())
    const run = await fleet.start({ name: 'race', tasks: [ship] })
    await fleet.advance(moment)

    assert.equal((await run.cancelTask('ship')).changed, changed)
    await assertRun(run, { tasks: { ship: status } })
  })
}
