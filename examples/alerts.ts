// Somebody is told when a task fails for good: a signed webhook, and the receiver that checks the signature.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { createFleet, dryRunAlerts } from 'flotilla'

// Secrets have names; their values come from the environment. They appear in no file of the store.
process.env['HOOK_SECRET'] = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'

const receiver = createServer(async (request, response) => {
  const body = await text(request)
  try {
    const { data } = new Webhook('whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD').verify(
      body,
      request.headers as Record<string, string>,
    ) as {
      data: { class: string; summary: string; reason: string }
    }
    console.log(data.class, '·', data.summary, data.reason)
    response.writeHead(204).end()
  } catch {
    response.writeHead(401).end()
  }
})
receiver.listen(0, '127.0.0.1')
await once(receiver, 'listening')
process.env['HOOK_URL'] = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/alerts`

const spec = {
  name: 'nightly',
  tasks: [
    {
      id: 'report',
      name: 'Report',
      instructions: 'Write the report.',
      handler: 'report',
      retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 },
      alert_policy: {
        events: ['restart_exhausted' as const],
        channels: [{ kind: 'webhook' as const, url_ref: 'HOOK_URL', secret_ref: 'HOOK_SECRET' }],
      },
    },
  ],
}

// What would be sent, without sending it: secrets are named, not shown.
const [preview] = dryRunAlerts(spec)
console.log(preview?.class, preview?.request.url) //=> restart_exhausted <secret:HOOK_URL>

const fleet = await createFleet({
  handlers: {
    report() {
      throw new Error('the disk is full')
    },
  },
  // The receiver is on this machine, and speaks plain http. Neither is allowed unless the application says so.
  alerts: { allowPrivateAddresses: true, allowHttp: true },
})
const sent = fleet.once('alert.sent')
const run = await fleet.start(spec)
//=> restart_exhausted · Report failed for good with attempt 2. Error: the disk is full
await run.result()
const { payload } = await sent
console.log(payload.class, payload.channel, (await run.summary()).escalated) //=> restart_exhausted webhook 1
await fleet.close()
receiver.close()
