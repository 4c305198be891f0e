import { dialIn } from 'flotilla'
import { expect, onTestFinished, test } from 'vitest'
import type { AttemptContext } from '../../src/worker/attempt.ts'
import { until } from '../fixtures/processes.ts'
import { httpFleet, numbersSaid, testToken } from '../support/http-fleet.ts'
import type { HttpFleet } from '../support/http-fleet.ts'

async function opened(options: Parameters<typeof httpFleet>[0] = {}): Promise<HttpFleet> {
  const world = await httpFleet(options)
  onTestFinished(() => world[Symbol.asyncDispose]())
  return world
}

const task = { id: 'a', name: 'A', instructions: 'Count.', handler: 'work' }
const upTo = (last: number): number[] => Array.from({ length: last + 1 }, (_, number) => number)

/** Work that says numbers, one every `everyMs`, and can be watched. */
function counting(last: number, everyMs: number) {
  const attempts: number[] = []
  let said = -1
  return {
    attempts,
    get said() {
      return said
    },
    handlers: {
      async work(attempt: AttemptContext) {
        attempts.push(attempt.number)
        for (const number of upTo(last)) {
          await attempt.workflow('count', number)
          said = number
          await attempt.delay(everyMs)
        }
        return last
      },
    },
  }
}

const limits = { leaseTtlMs: 3_000, stopGraceMs: 500 }

test('HO2 a worker that dials in over HTTP does a task, with its artifacts and its log', async () => {
  const { fleet, connect } = await opened({ limits })
  connect({
    handlers: {
      async work(attempt) {
        await attempt.log('working')
        await attempt.artifact({ kind: 'report', name: 'small.txt', content: 'small' })
        await attempt.artifact({ kind: 'report', name: 'large.txt', content: 'x'.repeat(2_000_000) })
        return 'done'
      },
    },
  })
  const run = await fleet.start({ name: 'r', tasks: [task] })
  const { receipts } = await run.result()
  expect(receipts['a']).toMatchObject({ worker_id: 'w1', output: 'done' })
  expect(receipts['a']?.artifacts.map(({ path, size_bytes }) => [path.replace(/.*\//, ''), size_bytes])).toEqual([
    ['small.txt', 5],
    ['large.txt', 2_000_000],
    [expect.stringContaining('log'), 8],
  ])
})

const faults: Readonly<Record<string, { break(world: HttpFleet): void; heal(world: HttpFleet): void; forMs: number }>> = {
  cut: { break: ({ proxy }) => proxy.cut(), heal: ({ proxy }) => proxy.heal(), forMs: 1_000 },
  'muted downwards': { break: ({ proxy }) => proxy.mute('down'), heal: ({ proxy }) => proxy.heal(), forMs: 1_500 },
  'muted upwards': { break: ({ proxy }) => proxy.mute('up'), heal: ({ proxy }) => proxy.heal(), forMs: 1_500 },
  slowed: { break: ({ proxy }) => proxy.slow(40), heal: ({ proxy }) => proxy.heal(), forMs: 1_500 },
  'held back by a proxy that buffers': { break: ({ proxy }) => proxy.hold(), heal: () => undefined, forMs: 1_500 },
  'answered with 502 by a proxy': {
    break({ proxy }) {
      proxy.answer('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\nconnection: close\r\n\r\nBad')
      proxy.cutOpen()
    },
    heal: ({ proxy }) => proxy.heal(),
    forMs: 1_000,
  },
}

for (const [what, fault] of Object.entries(faults)) {
  test(`HO7 a worker whose line is ${what} keeps working, and nothing that it says is lost or repeated`, async () => {
    const world = await opened({ limits })
    const { fleet, connect } = world
    const work = counting(60, 50)
    connect(work)
    const run = await fleet.start({ name: 'r', tasks: [task] })
    await until(() => work.said >= 5)
    fault.break(world)
    const before = work.said
    await new Promise((resolve) => setTimeout(resolve, fault.forMs))
    // It was not held up by it.
    expect(work.said).toBeGreaterThan(before + 5)
    fault.heal(world)
    const { receipts } = await run.result()
    expect(receipts['a']).toMatchObject({ attempt: 1, output: 60, worker_id: 'w1' })
    expect(work.attempts).toEqual([1])
    expect(await numbersSaid(run)).toEqual(upTo(60))
  })
}

test('HO7 a worker behind a proxy that buffers from the beginning gets its tasks by polling', async () => {
  const { fleet, connect, proxy } = await opened({ limits })
  proxy.hold()
  const work = counting(5, 10)
  connect(work)
  const run = await fleet.start({ name: 'r', tasks: [task] })
  expect((await run.result()).receipts['a']).toMatchObject({ attempt: 1, output: 5 })
  expect(await numbersSaid(run)).toEqual(upTo(5))
})

test('LE4 a cut that is longer than the lease ends in a retry elsewhere, and the late result is fenced out', async () => {
  const { fleet, connect, proxy, server } = await opened({
    limits: { leaseTtlMs: 800, stopGraceMs: 100 },
    workers: ['w1', 'w2'].map((id) => ({ id, transport: dialIn({ handlers: ['work'], token: testToken }) })),
  })
  let finish: (output: string) => void = () => undefined
  const lost = new Promise<string>((resolve) => (finish = resolve))
  connect({
    workerId: 'w1',
    handlers: {
      async work() {
        return lost
      },
    },
  })
  const running = fleet.once('worker.running')
  const run = await fleet.start({ name: 'r', tasks: [{ ...task, retry_policy: { initial_backoff_seconds: 0 } }] })
  await running
  proxy.cut()
  // It has a result in time, and nobody to tell it.
  finish('late')
  connect({ workerId: 'w2', url: server.url, handlers: { work: () => 'elsewhere' } })
  const { receipts } = await run.result()
  expect(receipts['a']).toMatchObject({ attempt: 2, worker_id: 'w2', output: 'elsewhere' })
  const late = fleet.lateMessages
  proxy.heal()
  await until(() => fleet.lateMessages > late)
  expect((await run.receipts()).map(({ attempt, output, result }) => [attempt, output, result])).toEqual([
    [1, undefined, 'fail'],
    [2, 'elsewhere', 'partial'],
  ])
  const names: string[] = []
  for await (const { event, worker_id } of run.events()) if (worker_id !== undefined) names.push(`${event} ${worker_id}`)
  expect(names).toContain('worker.stale w1')
  expect(names).toContain('worker.completed w2')
  expect(names).not.toContain('worker.completed w1')
})
