import { expect, test } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'
import { diskFiles } from '../../../src/host/files.ts'
import type { WorkerLaunch } from '../../../src/ports/transport.ts'
import { dialInTransport } from '../../../src/transports/session/dial-in.ts'
import { greet } from '../../../src/transports/session/worker-greeting.ts'
import { createWorkerRuntime } from '../../../src/worker/index.ts'
import { connectionPair } from '../../fixtures/connection-pair.ts'

const clock = systemClock()
const launch: WorkerLaunch = {
  ...{ workerId: 'w1', storeId: 's', incarnation: 'i', slots: 1, leaseTtlMs: 60_000 },
  kept: () => Promise.resolve(),
}

function dialIn() {
  const serves = { handlers: ['h'], plain: false, commands: false }
  return dialInTransport({ serves, verifiesIdentity: false, clock, files: diskFiles() })
}

/** A worker that said hello, and waits to be welcomed. */
async function greeted() {
  const pair = connectionPair()
  const runtime = createWorkerRuntime({ workerId: 'w1', incarnation: 'i', handlers: { h: () => 1 }, resumes: true })
  void runtime.attach(pair.worker)
  return { runtime, greeting: await greet(pair.fleet, { clock, helloTimeoutMs: 5_000 }) }
}

test('CO8 a worker that dials in once nobody waits for it is not welcomed', async () => {
  const transport = dialIn()
  const { runtime, greeting } = await greeted()
  const stop = new AbortController()
  const opening = transport.open(launch, { signal: stop.signal })
  transport.gate.admit('w1', greeting)
  stop.abort(new Error('closed'))
  await expect(opening).rejects.toThrow('closed')
  // Whoever waits for it afterwards has it.
  const channel = await transport.open(launch, { signal: new AbortController().signal })
  await channel.close({ reason: 'over', graceMs: 0 })
  await runtime.close({ reason: 'over', graceMs: 0 })
})

test('CO8 waiting for a worker ends when nobody waits any more', async () => {
  const stop = new AbortController()
  const opening = dialIn().open(launch, { signal: stop.signal })
  await clock.sleep(10)
  stop.abort(new Error('closed'))
  await expect(opening).rejects.toThrow('closed')
})
