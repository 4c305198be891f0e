// Asks a service over HTTP that is busy the first time. This program plays the service too, so that the demo needs no network.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { readInput } from './evidence.mjs'

// The receipts of the attempts before this one tell it what happened to them.
const { previous } = readInput()
const server = createServer((_, response) => {
  response.writeHead(previous.length === 0 ? 503 : 200).end()
}).listen(0, '127.0.0.1')
await once(server, 'listening')

const { status } = await fetch(`http://127.0.0.1:${server.address().port}/health`)
server.close()
console.log(`attempt ${process.env.FLOTILLA_ATTEMPT}: the service answered ${status}`)
process.exitCode = status === 200 ? 0 : 1
