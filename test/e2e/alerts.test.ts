import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Webhook } from 'standardwebhooks'
import { expect, onTestFinished, test } from 'vitest'
import { createFleet } from '../../src/fleet/create-fleet.ts'
import { jsonStore, memoryStore } from '../../src/fleet/stores.ts'
import { openControl } from '../../src/fleet/control.ts'
import { until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'
import { openReceiver, testAuthority } from '../support/alert-receiver.ts'
import type { ReceivedRequest } from '../support/alert-receiver.ts'

const program = fileURLToPath(new URL('../fixtures/alert-and-wait.ts', import.meta.url))
const secret = `whsec_${randomBytes(24).toString('base64')}`

const idOf = ({ headers }: ReceivedRequest) => String(headers['webhook-id'])
const verified = ({ body, headers }: ReceivedRequest) => new Webhook(secret).verify(body, headers as Record<string, string>)

test(
  'AL2 a fleet killed with kill -9 between the delivery and its record delivers again, with the same id',
  { timeout: 120_000 },
  async () => {
    await using receiver = await openReceiver()
    const folder = await scratch()
    onTestFinished(() => folder.remove())
    const store = join(folder.path, 'store')
    const url = `https://localhost:${receiver.port}/hook/not-for-the-journal`
    // The receiver has it, and its answer never comes.
    const came = new Promise<void>((resolve) => (receiver.answer = () => resolve()))
    const first = drive(store, url)
    await came
    first.kill('SIGKILL')
    await once(first, 'exit')

    const cameAgain = new Promise<void>((resolve) => {
      receiver.answer = (_, __, response) => void response.writeHead(204).end(() => resolve())
    })
    const second = drive(store, url)
    await cameAgain
    second.stdin?.write('end\n')
    const [code] = (await once(second, 'exit')) as [number | null]
    expect(code).toBe(0)

    expect(receiver.requests.map(verified)).toMatchObject([{ data: { task_id: 'a' } }, { data: { task_id: 'a' } }])
    const [id, again] = receiver.requests.map(idOf)
    expect(again).toBe(id)
    const control = openControl(jsonStore({ folder: store }))
    onTestFinished(() => control.close())
    const [row] = await control.runs()
    expect(row).toMatchObject({ status: 'failed', counts: { escalated: 1 } })
    expect(row?.unsettled).toBeUndefined()
    const { events } = await control.run(row?.id ?? '').replay({ limit: 1000 })
    expect(events.filter(({ event }) => event === 'worker.escalated')).toMatchObject([
      { payload: { channel: 'webhook', alert_id: id } },
    ])
    // Neither the address nor the secret lies in the store.
    for (const file of readdirSync(store, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue
      const text = readFileSync(join(file.parentPath, file.name), 'utf8')
      expect(text).not.toContain('not-for-the-journal')
      expect(text).not.toContain(secret)
    }
  },
)

test(
  'AL2 a receiver that is down for a while gets every alert once it is back, each id acknowledged once',
  { timeout: 120_000 },
  async () => {
    const { port } = await openReceiver().then(async (probe) => {
      await probe[Symbol.asyncDispose]()
      return probe
    })
    const ids = Array.from({ length: 20 }, (_, index) => `t${index}`)
    const fleet = await createFleet({
      store: memoryStore(),
      handlers: {
        fail() {
          throw new Error('it cannot be done')
        },
      },
      alerts: { allowPrivateAddresses: true, ca: testAuthority },
      limits: { alertBackoffMs: { first: 50, most: 400 } },
    })
    process.env['TEST_SIGNING'] = secret
    onTestFinished(() => void delete process.env['TEST_SIGNING'])
    const run = await fleet.start({
      name: 'down',
      tasks: ids.map((id) => ({
        id,
        name: id,
        instructions: 'Fail.',
        handler: 'fail',
        retry_policy: { max_attempts: 1 },
        alert_policy: { channels: [{ kind: 'webhook', url: `https://localhost:${port}/hook`, secret_ref: 'TEST_SIGNING' }] },
      })),
    })
    await run.result()
    // Nobody listens: every delivery fails at least once.
    const tries = async () => (await run.tasks()).flatMap((task) => task.alerts ?? []).map((alert) => alert.tries)
    await until(async () => (await tries()).filter((count) => count > 0).length === ids.length, 'a failed delivery of each')
    await using receiver = await openReceiver({ port })
    // Back, but not well: every third request is refused, and may be repeated.
    let count = 0
    const acknowledged: ReceivedRequest[] = []
    receiver.answer = (request, _, response) => {
      count += 1
      if (count % 3 !== 0) acknowledged.push(request)
      response.writeHead(count % 3 === 0 ? 503 : 204).end()
    }
    await until(async () => (await run.summary()).escalated === ids.length, 'all to be delivered')
    await fleet.close()
    expect(acknowledged.map((request) => (verified(request) as { data: { task_id: string } }).data.task_id).toSorted()).toEqual(
      ids.toSorted(),
    )
    expect(new Set(acknowledged.map(idOf)).size).toBe(ids.length)
  },
)

/** Runs the program; what it says on standard error fails the test that reads it. */
function drive(store: string, url: string): ChildProcess {
  const env = { ...process.env, TEST_HOOK: url, TEST_SIGNING: secret }
  const args = ['--import', import.meta.resolve('tsx'), '-C', 'flotilla-source', program, store]
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'ignore', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}
