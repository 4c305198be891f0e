import { expect, test } from 'vitest'
import { dialIn } from '../../../src/fleet/dial-in.ts'
import type { ConnectionListener, WorkerConnection } from '../../../src/ports/worker-connection.ts'
import { createTestFleet } from '../../../src/testing/index.ts'

/** A worker that does every task at once, and knows of no time. */
function connection(): WorkerConnection {
  let listener: ConnectionListener | undefined
  const say = (frame: object): void => queueMicrotask(() => listener?.line(JSON.stringify(frame)))
  return {
    send(line) {
      const { type, run_id, task_id, attempt } = JSON.parse(String(line)) as Record<string, unknown>
      if (type === 'bye') queueMicrotask(() => listener?.end('over'))
      if (type !== 'assign') return
      say({ type: 'accepted', run_id, task_id, attempt, seq: 1 })
      say({ type: 'result', run_id, task_id, attempt, seq: 2, summary: 'done' })
    },
    listen(given) {
      listener = given
      say({ type: 'hello', protocol: 1, worker_id: 'w1', incarnation: 'i', attempts: [] })
    },
    close: (reason) => listener?.end(reason),
  }
}

test('DE1 a worker that dials in works for a fleet on virtual time: nothing is loaded while it works', async () => {
  await using kit = await createTestFleet({ workers: [{ id: 'w1', transport: dialIn({ plain: true, unverified: true }) }] })
  expect(await kit.until(kit.fleet.attach(connection()))).toMatchObject({ attached: true })
  const run = await kit.start({ name: 'r', tasks: [{ id: 'a', name: 'a', instructions: 'work' }] })
  expect(await kit.until(run.result())).toMatchObject({ status: 'completed' })
})
