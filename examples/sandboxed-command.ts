// A command that is not trusted runs in a sandbox: no network, nothing to write but its own folder. Its receipt says what was enforced.
import { createServer } from 'node:net'
import { createFleet, inspectHost } from 'flotilla'

const server = createServer((socket) => socket.end('hello from the host')).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const address = server.address()
const port = typeof address === 'object' ? address?.port : undefined
const dial = `require('net').connect(${port}, '127.0.0.1').on('error', ({ code }) => { console.log(code); process.exit(1) }).pipe(process.stdout)`
const task = (id: string) => ({
  id,
  name: 'Dial the host',
  instructions: 'Connect to a server of this machine.',
  metadata: { command: [process.execPath, '-e', dial] },
  retry_policy: { max_attempts: 1 },
})

// Without bubblewrap such a task is refused, never run anyway (SE2).
const { sandbox } = inspectHost()
if (!sandbox.possible) throw new Error(`No sandbox can be built here: ${sandbox.because}`)

// A sandbox sees /usr; this program may lie elsewhere.
const sees = { readable: [process.execPath] }
const fleet = await createFleet({ workers: [{ id: 'boxed', commands: true, trustLevel: 'sandbox', sandbox: sees }] })

const refused = await fleet.start({ name: 'dial', tasks: [task('a')] })
const { receipts: without } = await refused.result()
console.log(without['a']?.result, without['a']?.evidence) //=> fail exit code 1
//=> ECONNREFUSED
console.log(without['a']?.effective_permissions?.network) //=> false
console.log(without['a']?.effective_permissions?.source) //=> trust level sandbox

// A grant adds to the level, for this run alone (SE4).
const granted = await fleet.start({
  name: 'dial again',
  tasks: [task('a')],
  security_policy: { capability_grants: [{ capability: 'network', reason: 'the task asks a server' }] },
})
const { receipts: withNetwork } = await granted.result()
console.log(withNetwork['a']?.result) //=> partial
console.log(withNetwork['a']?.effective_permissions?.source) //=> trust level sandbox with network

await fleet.close()
server.close()
