import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ConnectionFacts } from '../ports/worker-door.ts'
import { refuse } from './answer.ts'

/** Bytes that are read of a request that was answered already, so that the answer arrives; what sends more is cut off. */
const unreadBytes = 1_048_576

/**
 * Serves a handler of web requests with a server of `node:http` or `node:https`: `createServer(nodeListener(handler))`. `facts` tells what
 * the server knows of a connection, such as `(request) => ({ certificate: request.socket.getPeerCertificate() })`. A body is read as fast
 * as it is taken, and written as fast as it is read.
 */
export function nodeListener(
  handler: (request: Request, facts: ConnectionFacts) => Promise<Response>,
  options: { readonly facts?: (request: IncomingMessage) => ConnectionFacts } = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    // What fails here is that one request: a handler answers everything by itself, and a broken line tells nobody.
    void respond(request, response).catch(() => response.destroy())
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A line that breaks says so at every write; nobody needs to know more than once.
    response.on('error', () => undefined)
    request.on('error', () => undefined)
    const asked = webRequest(request)
    const answer =
      asked === undefined
        ? refuse('invalid_request', 'This is no request that could be answered.')
        : await handler(asked, options.facts?.(request) ?? {})
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.flushHeaders()
    if (answer.body !== null) await write(answer.body, response)
    response.end()
    let left = unreadBytes
    request.on('data', (piece: Uint8Array) => {
      left -= piece.length
      if (left < 0) request.destroy()
    })
  }
}

/** Undefined for what web requests do not have, a method `TRACE` for one. */
function webRequest(request: IncomingMessage): Request | undefined {
  const { method = 'GET' } = request
  const hasBody = method !== 'GET' && method !== 'HEAD'
  try {
    const headers = new Headers()
    for (const [name, value] of Object.entries(request.headers)) {
      // HTTP/2 has its method and path there too.
      if (name.startsWith(':')) continue
      for (const one of [value ?? []].flat()) headers.append(name, one)
    }
    // The host is whatever the client says; the path alone is looked at.
    return new Request(new URL(request.url ?? '/', 'http://fleet.invalid'), {
      method,
      headers,
      ...(hasBody && { body: bodyOf(request), duplex: 'half' }),
    })
  } catch {
    return undefined
  }
}

function bodyOf(request: IncomingMessage): ReadableStream<Uint8Array> {
  const pieces = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await pieces.return?.()
    },
  })
}

/** Ends with the body, or when nobody reads it any more. */
async function write(body: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
  const reader = body.getReader()
  let goOn: (() => void) | undefined
  const gone = (): void => {
    void reader.cancel().catch(() => undefined)
    goOn?.()
  }
  const drained = (): void => goOn?.()
  response.on('close', gone).on('drain', drained)
  if (response.destroyed) gone()
  while (!response.destroyed) {
    const { done, value } = await reader.read()
    if (done || response.destroyed) break
    if (!response.write(value) && !response.destroyed) await new Promise<void>((resolve) => (goOn = resolve))
  }
  response.off('close', gone).off('drain', drained)
}
