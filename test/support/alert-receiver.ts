import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createPlain } from 'node:http'
import type { IncomingHttpHeaders, RequestListener, Server } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo } from 'node:net'

const file = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8')

/** The authority that the receiver's certificate is of; that is for `receiver.test`, `localhost`, 127.0.0.1 and ::1, until 2120. */
export const testAuthority = file('ca.pem')

/** A request that came in. */
export interface ReceivedRequest {
  readonly path: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A real server on loopback that keeps what it is sent. */
export interface HttpReceiver extends AsyncDisposable {
  readonly port: number
  readonly requests: readonly ReceivedRequest[]
  /** Answers a request that was read whole. Default: 204. */
  answer: (request: ReceivedRequest, ...rest: Parameters<RequestListener>) => void
}

export async function openReceiver({ secure = true, port = 0 }: { secure?: boolean; port?: number } = {}): Promise<HttpReceiver> {
  const requests: ReceivedRequest[] = []
  const listener: RequestListener = (request, response) => {
    const chunks: Uint8Array[] = []
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    request.on('end', () => {
      const { url: path = '', method = '', headers } = request
      const received = { path, method, headers, body: Buffer.concat(chunks).toString('utf8') }
      requests.push(received)
      receiver.answer(received, request, response)
    })
  }
  const server: Server = secure
    ? createSecure({ key: file('server.key'), cert: file('server.pem') }, listener)
    : createPlain(listener)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const receiver: HttpReceiver = {
    port: (server.address() as AddressInfo).port,
    requests,
    answer: (_, __, response) => response.writeHead(204).end(),
    async [Symbol.asyncDispose]() {
      if (!server.listening) return
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}
