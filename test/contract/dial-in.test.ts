import { describe, test } from 'vitest'
import { createWorkerHandler, nodeListener } from 'flotilla/http'
import { transportContract } from 'flotilla/testing'
import type { TransportUnderTest } from 'flotilla/testing'
import { createWorkerRuntime } from 'flotilla/worker'
import { systemClock } from '../../src/host/clock.ts'
import { diskFiles } from '../../src/host/files.ts'
import type { WorkerLaunch } from '../../src/ports/transport.ts'
import type { WorkerConnection } from '../../src/ports/worker-connection.ts'
import type { AttachOutcome } from '../../src/ports/worker-door.ts'
import { dialInTransport } from '../../src/transports/session/dial-in.ts'
import type { DialInTransport } from '../../src/transports/session/dial-in.ts'
import { httpConnection } from '../../src/worker/http-connection.ts'
import { httpExchange } from '../../src/worker/http-exchange.ts'
import { greet } from '../../src/transports/session/worker-greeting.ts'
import { connectionPair } from '../fixtures/connection-pair.ts'
import { assignment } from '../fixtures/conversation.ts'
import { webServer } from '../fixtures/web-server.ts'

const clock = systemClock()
const handlers = {
  completes: () => 1,
  fails() {
    throw new Error('broken')
  },
  'goes on': (attempt: { delay(ms: number): Promise<void> }) => attempt.delay(3_600_000),
}

function transport(): DialInTransport {
  const serves = { handlers: Object.keys(handlers), plain: false, commands: false }
  return dialInTransport({ serves, verifiesIdentity: false, clock, files: diskFiles() })
}

async function attach(to: DialInTransport, connection: WorkerConnection): Promise<AttachOutcome> {
  const greeting = await greet(connection, { clock, helloTimeoutMs: 5_000 })
  to.gate.admit('w1', greeting)
  return { attached: true, workerId: 'w1', incarnation: greeting.hello.incarnation ?? '' }
}

/** A transport to which a worker of the wanted incarnation has dialled in whenever it is opened. */
function dialled(inner: DialInTransport, dial: (launch: WorkerLaunch) => void): TransportUnderTest['transport'] {
  return {
    ...inner,
    open(launch, options) {
      dial(launch)
      return inner.open(launch, options)
    },
  }
}

const assign: TransportUnderTest['assign'] = (handler, attempt) => assignment({ handler }, { attempt })

describe('dial-in over a connection in memory', () => {
  const cases = transportContract(async () => {
    const inner = transport()
    const runtimes: { close(options: { reason: string; graceMs: number }): Promise<void> }[] = []
    return {
      transport: dialled(inner, ({ workerId, incarnation }) => {
        const pair = connectionPair()
        const runtime = createWorkerRuntime({ workerId, incarnation, handlers, resumes: true })
        runtimes.push(runtime)
        void runtime.attach(pair.worker)
        void attach(inner, pair.fleet)
      }),
      assign,
      dispose: async () => void (await Promise.all(runtimes.map((one) => one.close({ reason: 'over', graceMs: 0 })))),
    }
  })
  for (const { id, run } of cases) test(id, run)
})

describe('dial-in over HTTP', () => {
  const cases = transportContract(async () => {
    const inner = transport()
    const handler = createWorkerHandler({ attach: (connection) => attach(inner, connection) })
    const server = await webServer(nodeListener(handler))
    const exchange = httpExchange({ url: server.url, headers: {}, fetch })
    const ends: (() => Promise<void>)[] = []
    return {
      transport: dialled(inner, ({ workerId, incarnation }) => {
        const connection = httpConnection({ exchange, clock, random: () => 0.5 })
        const runtime = createWorkerRuntime({ workerId, incarnation, handlers, resumes: true })
        void runtime.attach(connection)
        ends.push(async () => {
          await runtime.close({ reason: 'over', graceMs: 0 })
          await connection.settled
        })
      }),
      assign,
      async dispose() {
        await Promise.all(ends.map((end) => end()))
        handler.close()
        await server[Symbol.asyncDispose]()
      },
    }
  })
  for (const { id, run } of cases) test(id, run)
})
