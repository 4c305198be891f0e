// Workers dial in over WebSockets that the application accepts: a WebSocket is a connection in fifteen lines.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createFleet, dialIn, type WorkerConnection } from 'flotilla'
import { createWorkerRuntime } from 'flotilla/worker'
import { acceptWebSocket, type BareWebSocket, openWebSocket } from './web-socket/bare-web-socket.ts'

/** One message of the protocol is one text message. It works with every WebSocket, at both ends. */
function overWebSocket(socket: BareWebSocket): WorkerConnection {
  let why: string | undefined
  return {
    send: (line) => socket.send(line),
    listen({ line, end }) {
      socket.addEventListener('message', ({ data }) => line(String(data)))
      socket.addEventListener('close', ({ reason }) => end(why ?? reason))
    },
    close(reason) {
      why ??= reason
      // A WebSocket takes 123 bytes for it.
      socket.close(1000, reason.slice(0, 100))
    },
  }
}

const token = 'only for this example'
const fleet = await createFleet({ workers: [{ id: 'far', transport: dialIn({ handlers: ['count'], token }) }] })

const server = createServer((_, response) => response.writeHead(404).end())
server.on('upgrade', (request, socket) => {
  const address = request.socket.remoteAddress
  // It never rejects: whoever is refused was told why.
  void fleet.attach(overWebSocket(acceptWebSocket(request, socket)), { facts: { address } }).then((outcome) => {
    console.log(outcome.attached ? `${outcome.workerId} is here` : `refused: ${outcome.refusal.code}`)
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`

/** A worker elsewhere; here it is in the same program. */
async function workAs(workerId: string, secret: string): Promise<ReturnType<typeof createWorkerRuntime>> {
  const runtime = createWorkerRuntime({
    ...{ workerId, token: secret, incarnation: `start of ${process.pid}`, resumes: true },
    handlers: { count: ({ input }) => String(input).split(' ').length },
  })
  const connection = overWebSocket(await openWebSocket(url))
  void runtime.attach(connection)
  return runtime
}

const stranger = await workAs('far', 'a guess') //=> refused: unauthenticated
await stranger.close({ reason: 'it was refused', graceMs: 0 })

const worker = await workAs('far', token) //=> far is here
const tasks = [{ id: 'a', name: 'Count words', instructions: 'Count.', handler: 'count', input: 'all hands on deck' }]
const run = await fleet.start({ name: 'count', tasks })
const { receipts } = await run.result()
console.log(receipts['a']?.worker_id, receipts['a']?.output) //=> far 4

await worker.close({ reason: 'the work is done', graceMs: 1_000 })
await fleet.close()
server.close()
