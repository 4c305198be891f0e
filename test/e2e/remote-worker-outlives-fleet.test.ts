import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jsonStore, openControl } from 'flotilla'
import { connectWorker } from 'flotilla/worker'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'
import { webServer } from '../fixtures/web-server.ts'

const program = fileURLToPath(new URL('../fixtures/serve-workers.ts', import.meta.url))
const token = 'a token of the tests'

test.for(['registered', 'admitted'])(
  'LE6 a fleet that is killed while a worker elsewhere (%s) works goes on with its attempt: nothing is lost, nothing repeated',
  { timeout: 60_000 },
  async (how) => {
    const folder = await scratch()
    onTestFinished(() => folder.remove())
    const store = join(folder.path, 'store')
    const port = await freePort()
    const attempts: number[] = []
    let said = -1
    const worker = connectWorker({
      ...{ url: `http://127.0.0.1:${port}/workers`, workerId: 'w1', token, reconnect: { firstMs: 50, mostMs: 200 } },
      handlers: {
        async work(attempt) {
          attempts.push(attempt.number)
          for (let number = 0; number <= 80; number += 1) {
            await attempt.workflow('count', number)
            said = number
            await attempt.delay(50)
          }
          return said
        },
      },
    })
    onTestFinished(() => worker.close({ graceMs: 0 }))

    const first = serve(store, port, how)
    await until(() => said >= 10, 'the worker to work')
    first.kill('SIGKILL')
    await once(first, 'exit')
    const atDeath = said
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(said).toBeGreaterThan(atDeath)

    const second = serve(store, port, how)
    let output = ''
    second.stdout?.on('data', (text: Buffer) => (output += text.toString()))
    const [code] = (await once(second, 'exit')) as [number | null]
    expect({ code, output }).toEqual({ code: 0, output: 'listening\ndone\n' })
    expect(attempts).toEqual([1])

    const control = openControl(jsonStore({ folder: store }))
    onTestFinished(() => control.close())
    const [row] = await control.runs()
    const run = control.run(row!.id)
    expect((await run.receipts()).map((receipt) => [receipt.attempt, receipt.output])).toEqual([[1, 80]])
    const numbers: unknown[] = []
    for await (const event of run.events()) {
      if (event.event === 'worker.workflow_event') numbers.push((event.payload as { event: unknown }).event)
    }
    expect(numbers).toEqual(Array.from({ length: 81 }, (_, number) => number))
  },
)

function serve(store: string, port: number, how: string): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', 'flotilla-source', program, store, String(port), token, how], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  await using server = await webServer(() => undefined)
  return server.port
}
