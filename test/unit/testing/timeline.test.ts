import { expect, test } from 'vitest'
import { assertRun, createTestFleet, script, timeline, worker } from '../../../src/testing/index.ts'
import { task } from '../../support/bench-fleet.ts'

async function story(seed: string) {
  const fleet = await createTestFleet({
    seed,
    workers: [
      worker('w1')
        .on('build', script().after('2s').tool('cargo').fail('no compiler'), script().after('20m').complete({ ok: true }))
        .on('check', script().stall())
        .on('ship', script().complete()),
    ],
  })
  const tasks = [
    task('build'),
    task('check', { depends_on: ['build'], retry_policy: { max_attempts: 1 } }),
    task('ship', { depends_on: ['check'] }),
  ]
  const run = await fleet.start({ name: 'story', tasks })
  await fleet.until(run.result())
  return { fleet, run }
}

test('DE1 a timeline tells a run by its moments, and nothing in it changes from one seed to the next', async () => {
  const { fleet, run } = await story('a')
  const text = await timeline(run)
  expect(text).toMatchInlineSnapshot(`
    "+0s      run            created with 3 tasks
    +0s      build          queued
    +0s      run            queued, running
    +0s      build#1 on w1  leased, running
    +2s      build#1 on w1  tool cargo, failed: no compiler
    +2s      build#1        receipt fail (task)
    +7s      build          queued
    +7s      build#2 on w1  leased, running
    +20m07s  build#2        receipt partial, ended completed
    +20m07s  check          queued
    +20m07s  check#1 on w1  leased, running
    +21m07s  check#1 on w1  stale, failed for good: retry attempts exhausted after 1 attempt(s)
    +21m07s  check#1        receipt fail (transport), ended failed, alert stale, alert restart_exhausted
    +21m07s  ship           receipt skip, ended cancelled
    +21m07s  run            failed
    "
  `)
  const other = await story('b')
  expect(await timeline(other.run)).toBe(text)
  await fleet.close()
  await other.fleet.close()
})

test('DE1 an assertion says every difference, and tells the run', async () => {
  const { fleet, run } = await story('a')
  await assertRun(run, {
    status: 'failed',
    tasks: { build: { attempts: 2, result: 'partial', output: { ok: true }, worker: 'w1' }, check: 'failed', ship: 'cancelled' },
  })
  const wrong = assertRun(run, { status: 'completed', tasks: { build: { attempts: 1 }, check: 'completed', nobody: 'failed' } })
  await expect(wrong).rejects.toThrow(
    /the run is failed, not completed\nthe task build: attempts is 2, not 1\nthe task check: status is "failed", not "completed"\nthere is no task nobody; there are build, check, ship\n\nThe run:\n\+0s/,
  )
  await fleet.close()
})
