// Workers elsewhere connect over HTTP, and go on through a restart of what stands between.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createFleet, dialIn } from 'flotilla'
import { createWorkerHandler, nodeListener } from 'flotilla/http'
import { connectWorker } from 'flotilla/worker'

// A real one comes from a secret: `token: { key: 'BUILDER_TOKEN' }`, with `secrets` of the fleet.
const token = 'only for this example'
const fleet = await createFleet({ workers: [{ id: 'builder', transport: dialIn({ handlers: ['build'], token }) }] })

const server = createServer(nodeListener(createWorkerHandler(fleet)))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/workers`

// On another machine. The handler is the same function as in the fleet's own process.
const worker = connectWorker({
  ...{ url, token, workerId: 'builder' },
  handlers: {
    async build(attempt) {
      await attempt.log('building')
      // Whatever was connected is cut off, and the work goes on.
      server.closeAllConnections()
      await attempt.artifact({ kind: 'report', name: 'report.txt', content: 'built' })
      return { built: attempt.input }
    },
  },
})

const tasks = [{ id: 'a', name: 'Build', instructions: 'Build it.', handler: 'build', input: 'the hull' }]
const run = await fleet.start({ name: 'build', tasks })
const { receipts } = await run.result()
console.log(receipts['a']?.worker_id, receipts['a']?.output) //=> builder { built: 'the hull' }
console.log(receipts['a']?.artifacts.map(({ kind }) => kind).join(', ')) //=> report, log
console.log(receipts['a']?.attempt) //=> 1

await worker.close()
await fleet.close()
server.close()
