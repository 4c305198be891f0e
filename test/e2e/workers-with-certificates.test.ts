import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer, connect as connectTls } from 'node:tls'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { createFleet, dialIn } from 'flotilla'
import type { AttachOutcome, ConnectionFacts, Fleet, HelloFrame } from 'flotilla'
import { createWorkerHandler, nodeListener } from 'flotilla/http'
import { connectWorker, createWorkerRuntime } from 'flotilla/worker'
import { expect, onTestFinished, test } from 'vitest'
import { socketConnection } from '../fixtures/socket-connection.ts'
import { tlsFetch, tlsFile } from '../support/tls-fetch.ts'

const certificateOf = (name: string) => ({ key: tlsFile(`${name}.key`), cert: tlsFile(`${name}.pem`) })
const server = {
  ...{ key: tlsFile('server.key'), cert: tlsFile('server.pem'), ca: tlsFile('workers-ca.pem') },
  requestCert: true,
}

/** What the server knows of its peer. */
const factsOf = (socket: TLSSocket): ConnectionFacts => ({
  isVerified: socket.authorized,
  certificate: socket.getPeerCertificate(),
})

/** The certificate is of the authority of the workers, and names the worker. */
function verify(hello: HelloFrame, { isVerified, certificate }: ConnectionFacts): boolean {
  return isVerified === true && (certificate as PeerCertificate).subject.CN === hello.worker_id
}

async function openFleet(): Promise<Fleet> {
  const fleet = await createFleet({
    workers: [{ id: 'w1', transport: dialIn({ handlers: ['work'], verify }), trustLevel: 'remote_verified' }],
  })
  onTestFinished(() => fleet.close({ graceMs: 0 }))
  return fleet
}

/** One that needs a worker who proved who it is (SE1). */
async function runOn(fleet: Fleet): Promise<unknown> {
  const run = await fleet.start({
    name: 'r',
    security_policy: { require_identity_verification: true },
    tasks: [{ id: 'a', name: 'A', instructions: 'Work.', handler: 'work' }],
  })
  return (await run.result()).receipts['a']?.output
}

test('SE7 a worker over HTTPS proves who it is by its certificate; without one, with another’s or a stranger’s it is refused', async () => {
  const fleet = await openFleet()
  const https = createServer(
    { ...server, rejectUnauthorized: false },
    nodeListener(createWorkerHandler(fleet), { facts: ({ socket }) => factsOf(socket as TLSSocket) }),
  )
  https.listen(0, '127.0.0.1')
  await once(https, 'listening')
  onTestFinished(() => {
    https.closeAllConnections()
    https.close()
  })
  const url = `https://127.0.0.1:${(https.address() as AddressInfo).port}/workers`
  const connect = (certificate: Parameters<typeof tlsFetch>[0]) => {
    const worker = connectWorker({ url, workerId: 'w1', fetch: tlsFetch(certificate), handlers: { work: () => 'done' } })
    onTestFinished(() => worker.close({ graceMs: 0 }))
    return worker
  }
  for (const wrong of [undefined, certificateOf('w2'), certificateOf('stranger')]) {
    await expect(connect(wrong).done).rejects.toMatchObject({ code: 'unauthenticated' })
  }
  connect(certificateOf('w1'))
  expect(await runOn(fleet)).toBe('done')
})

test('HO2 a TLS socket with lines of JSON is a connection too, and its certificate a proof', async () => {
  const fleet = await openFleet()
  const outcomes: Promise<AttachOutcome>[] = []
  const listener = createTlsServer({ ...server, rejectUnauthorized: true }, (socket) => {
    outcomes.push(fleet.attach(socketConnection(socket), { facts: factsOf(socket) }))
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  onTestFinished(() => void listener.close())
  const { port } = listener.address() as AddressInfo
  const attach = (name: string) => {
    const runtime = createWorkerRuntime({
      workerId: 'w1',
      incarnation: `of ${name}`,
      handlers: { work: () => name },
      resumes: true,
    })
    onTestFinished(() => runtime.close({ reason: 'over', graceMs: 0 }))
    return runtime.attach(
      socketConnection(connectTls({ port, host: '127.0.0.1', ca: tlsFile('ca.pem'), ...certificateOf(name) })),
    )
  }
  expect(await attach('w2')).toMatchObject({ refused: { code: 'unauthenticated' } })
  // The handshake itself refuses it, so the fleet never hears of it.
  expect(await attach('stranger')).toMatchObject({ wasWelcomed: false })
  expect(await Promise.all(outcomes)).toMatchObject([{ attached: false }])
  void attach('w1')
  expect(await runOn(fleet)).toBe('w1')
})
