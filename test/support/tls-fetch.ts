import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { Readable } from 'node:stream'

export const tlsFile = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8')

/** A `fetch` that shows a certificate of its own, and trusts the authority of the tests. */
export function tlsFetch(certificate: { readonly key: string; readonly cert: string } | undefined): typeof fetch {
  return (url, { method = 'GET', headers, body, signal } = {}) =>
    new Promise((resolve, reject) => {
      const asked = request(
        String(url as string),
        {
          method,
          headers: headers as Record<string, string>,
          ca: tlsFile('ca.pem'),
          agent: false,
          ...certificate,
          ...(signal && { signal }),
        },
        (response) => {
          const told = new Headers()
          for (const [name, value] of Object.entries(response.headers)) told.set(name, String(value))
          const bytes = Readable.toWeb(response) as ReadableStream<Uint8Array>
          resolve(new Response(bytes, { status: response.statusCode ?? 0, headers: told }))
        },
      )
      asked.on('error', reject)
      asked.end(body as string | undefined)
    })
}
