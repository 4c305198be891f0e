import { dialIn } from 'flotilla'
import { expect, onTestFinished, test } from 'vitest'
import type { AttemptContext } from '../../src/worker/attempt.ts'
import { until } from '../fixtures/processes.ts'
import { httpFleet, numbersSaid, testToken } from '../support/http-fleet.ts'

const cutMs = 20_000
const workers = ['w1', 'w2'].map((id) => ({ id, transport: dialIn({ handlers: ['work'], token: testToken }) }))
const task = { id: 'a', name: 'A', instructions: 'Count.', handler: 'work', retry_policy: { initial_backoff_seconds: 0 } }

test(
  'HO7 a worker keeps working through a cut of 20 s, with the times that are usual, and no event is lost or repeated',
  { timeout: 120_000 },
  async () => {
    const world = await httpFleet({ workers, keepAliveMs: 15_000 })
    onTestFinished(() => world[Symbol.asyncDispose]())
    const attempts: number[] = []
    let said = -1
    world.connect({
      handlers: {
        async work(attempt: AttemptContext) {
          attempts.push(attempt.number)
          for (let number = 0; number <= 150; number += 1) {
            await attempt.workflow('count', number)
            said = number
            await attempt.delay(200)
          }
          return 'done'
        },
      },
    })
    const run = await world.fleet.start({ name: 'r', tasks: [task] })
    await until(() => said >= 10)
    world.proxy.cut()
    const before = said
    await new Promise((resolve) => setTimeout(resolve, cutMs))
    expect(said).toBeGreaterThan(before + 50)
    world.proxy.heal()
    expect((await run.result()).receipts['a']).toMatchObject({ attempt: 1, worker_id: 'w1', output: 'done' })
    expect(attempts).toEqual([1])
    expect(await numbersSaid(run)).toEqual(Array.from({ length: 151 }, (_, number) => number))
  },
)

test(
  'LE4 the same cut under a lease of 15 s ends in a retry elsewhere, and the late result is fenced out',
  { timeout: 120_000 },
  async () => {
    const world = await httpFleet({ workers, keepAliveMs: 15_000, limits: { leaseTtlMs: 15_000 } })
    onTestFinished(() => world[Symbol.asyncDispose]())
    const running = world.fleet.once('worker.running')
    world.connect({
      handlers: {
        async work(attempt) {
          await attempt.delay(5_000)
          return 'late'
        },
      },
    })
    const run = await world.fleet.start({ name: 'r', tasks: [task] })
    await running
    world.proxy.cut()
    world.connect({ workerId: 'w2', url: world.server.url, handlers: { work: () => 'elsewhere' } })
    await new Promise((resolve) => setTimeout(resolve, cutMs))
    const late = world.fleet.lateMessages
    world.proxy.heal()
    expect((await run.result()).receipts['a']).toMatchObject({ attempt: 2, worker_id: 'w2', output: 'elsewhere' })
    await until(() => world.fleet.lateMessages > late)
    expect((await run.receipts()).map(({ attempt, output }) => [attempt, output])).toEqual([
      [1, undefined],
      [2, 'elsewhere'],
    ])
  },
)
