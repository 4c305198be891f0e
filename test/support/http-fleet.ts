import { createFleet, dialIn, type Fleet, type FleetOptions, type Run, type WorkerOptions } from 'flotilla'
import { createWorkerHandler, nodeListener, type WorkerHandler } from 'flotilla/http'
import { connectWorker, type ConnectedWorker, type ConnectOptions } from 'flotilla/worker'
import { faultProxy, type FaultProxy } from '../fixtures/fault-proxy.ts'
import { webServer, type WebServer } from '../fixtures/web-server.ts'

export const testToken = 'a token of the tests'

/** A fleet that serves HTTP behind a proxy that can be broken. */
export interface HttpFleet extends AsyncDisposable {
  readonly fleet: Fleet
  readonly handler: WorkerHandler
  readonly server: WebServer
  readonly proxy: FaultProxy
  /** Through the proxy. */
  readonly url: string
  /** Connects a worker through the proxy. */
  connect(options: Partial<ConnectOptions> & Pick<ConnectOptions, 'handlers'>): ConnectedWorker
}

export async function httpFleet({
  keepAliveMs = 200,
  workers = [{ id: 'w1', transport: dialIn({ handlers: ['work'], token: testToken }) }],
  handler: handlerOptions = {},
  ...options
}: FleetOptions & {
  readonly keepAliveMs?: number
  readonly workers?: readonly WorkerOptions[]
  readonly handler?: Parameters<typeof createWorkerHandler>[1]
} = {}): Promise<HttpFleet> {
  const fleet = await createFleet({ workers, ...options })
  const handler = createWorkerHandler(fleet, { keepAliveMs, ...handlerOptions })
  const server = await webServer(nodeListener(handler))
  const proxy = await faultProxy(server.port)
  const url = `http://127.0.0.1:${proxy.port}/workers`
  const connected = new Set<ConnectedWorker>()
  return {
    fleet,
    handler,
    server,
    proxy,
    url,
    connect(how) {
      const reconnect = { firstMs: 50, mostMs: 200 }
      const worker = connectWorker({ url, workerId: 'w1', token: testToken, reconnect, ...how })
      connected.add(worker)
      return worker
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...connected].map((worker) => worker.close({ graceMs: 0 })))
      await fleet.close({ graceMs: 0 })
      await proxy[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** The numbers that the work of a run said as events of a workflow, in the order in which they are kept. */
export async function numbersSaid(run: Run): Promise<unknown[]> {
  const said: unknown[] = []
  for await (const event of run.events()) {
    if (event.event === 'worker.workflow_event') said.push((event.payload as { event: unknown }).event)
  }
  return said
}
