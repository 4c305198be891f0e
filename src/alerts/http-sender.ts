import { joinSignals } from '../protocol/joined-signal.ts'
import { lookup } from 'node:dns/promises'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { connect as connectPlain, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import type { AlertOutcome } from '../ports/alert-sink.ts'
import type { Clock } from '../ports/clock.ts'
import type { AddressPolicy } from './address-policy.ts'
import { isLoopback } from './address-policy.ts'
import { retryAfterMs } from './retry-after.ts'

/** A request that posts an alert. */
export interface AlertRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Posts alerts. What comes of a request never names its address: that may be a secret. */
export type HttpSender = (request: AlertRequest, options: { readonly signal: AbortSignal }) => Promise<AlertOutcome>

/** Where a connection goes: to an address that was checked, whatever a name may resolve to by then. */
export interface Dialing {
  readonly address: string
  readonly port: number
  readonly secure: boolean
  /** The host that the certificate must be of, and that is asked for. */
  readonly host: string
  readonly ca: string | undefined
}

export interface HttpSenderOptions {
  readonly policy: AddressPolicy
  readonly clock: Clock
  /** Plain http, to loopback addresses only. */
  readonly allowHttp?: boolean
  /** Certificates to trust besides the platform's, PEM. */
  readonly ca?: string
  readonly timeoutMs?: number
  /** All addresses of a name. Default: those that the platform gives. */
  readonly resolve?: (host: string) => Promise<readonly string[]>
  /** Opens a connection. Default: the platform's. */
  readonly dial?: (where: Dialing) => Socket
}

const defaultTimeoutMs = 10_000
/** Of an answer only its status counts; so much of the rest is read at most. */
const mostOfAnswer = 16 * 1024

/**
 * Posts over https to addresses that the policy allows (AL4): a name is resolved once, every address that it has is checked, and the
 * connection goes to one of those very addresses, under the name. Redirects are not followed, proxies not used, connections not shared.
 */
export function createHttpSender(options: HttpSenderOptions): HttpSender {
  const { clock, timeoutMs = defaultTimeoutMs } = options
  return async (request, { signal }) => {
    const over = new AbortController()
    const late = new AbortController()
    void clock.sleep(timeoutMs, { signal: over.signal, keepAlive: false }).then(() => late.abort())
    try {
      using either = joinSignals([signal, late.signal])
      return await send(request, options, either.signal)
    } catch (error) {
      if (error instanceof Refusal) return { delivered: false, reason: error.message, final: true }
      const isLate = late.signal.aborted && !signal.aborted
      return failed(isLate ? `it took longer than ${timeoutMs / 1000} s` : reasonOf(error))
    } finally {
      over.abort()
    }
  }
}

/** What no later try would change. */
class Refusal extends Error {}

async function send(request: AlertRequest, options: HttpSenderOptions, signal: AbortSignal): Promise<AlertOutcome> {
  const url = URL.canParse(request.url) ? new URL(request.url) : undefined
  if (url === undefined) throw new Refusal('the address is no URL')
  if (url.protocol !== 'https:' && !(options.allowHttp === true && url.protocol === 'http:'))
    throw new Refusal('the address is not https')
  const host = hostOf(url)
  const addresses = await aborting(addressesOf(host, options), signal)
  checkAll(addresses, url, options)
  let last: unknown
  for (const address of addresses) {
    try {
      return outcomeOf(await post(request, { url, host, address }, options, signal))
    } catch (error) {
      // Another address is tried as long as nothing was sent to this one.
      if (!(error instanceof NotConnected) || signal.aborted) throw error
      last = error.cause
    }
  }
  throw last
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

async function addressesOf(host: string, { resolve = platformAddresses }: HttpSenderOptions): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  const addresses = await resolve(host)
  if (addresses.length === 0) throw new Error('its name has no address')
  return addresses
}

async function platformAddresses(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address)
}

/** One address that is not allowed refuses the name: whoever answers with it is not to be trusted with the others. */
function checkAll(addresses: readonly string[], url: URL, { policy }: HttpSenderOptions): void {
  const refused = addresses.some((address) => !policy.isAllowed(address))
  if (refused) throw new Refusal('the address is not one of the public internet; alerts.allowPrivateAddresses would allow it')
  if (url.protocol === 'http:' && !addresses.every(isLoopback)) throw new Refusal('plain http is for loopback addresses only')
}

class NotConnected extends Error {}

interface Place {
  readonly url: URL
  readonly host: string
  readonly address: string
}

function post(
  { headers, body }: AlertRequest,
  { url, host, address }: Place,
  options: HttpSenderOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { dial = platformDial, policy } = options
    const secure = url.protocol === 'https:'
    const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
    let isConnected = false
    const fail = (cause: unknown): void => reject(isConnected ? asError(cause) : new NotConnected('not connected', { cause }))
    const socket = dial({ address, port, secure, host, ca: options.ca })
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      // Whoever opened the connection may have gone elsewhere.
      if (socket.remoteAddress !== undefined && !policy.isAllowed(socket.remoteAddress))
        socket.destroy(new Error('it led elsewhere'))
      else isConnected = true
    })
    const asked: RequestOptions = {
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body), connection: 'close', ...basic(url) },
      createConnection: () => socket,
      signal,
    }
    const sent = httpRequest(asked, (answer) => {
      let read = 0
      answer.on('data', (chunk: Uint8Array) => {
        read += chunk.length
        if (read > mostOfAnswer) answer.destroy()
      })
      answer.once('close', () => socket.destroy())
      resolve(answer)
    })
    sent.once('error', fail)
    sent.end(body)
  })
}

function platformDial({ address, port, secure, host, ca }: Dialing): Socket {
  if (!secure) return connectPlain({ host: address, port })
  const name = host.replace(/\.$/, '')
  return connectSecure({
    host: address,
    port,
    // An address has no name to ask for; its certificate is held against the address.
    ...(isIP(host) === 0 && { servername: name }),
    ...(ca !== undefined && { ca }),
    ALPNProtocols: ['http/1.1'],
  })
}

function basic({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {}
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(plain).toString('base64')}` }
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage): AlertOutcome {
  if (statusCode >= 200 && statusCode < 300) return { delivered: true }
  if (statusCode >= 300 && statusCode < 400) return failed(`the receiver redirects (${statusCode}), which is not followed`)
  const later = retryAfterMs(headers['retry-after'], headers.date)
  return {
    ...failed(`the receiver answered ${statusCode}`),
    // Gone is for good.
    ...(statusCode === 410 && { final: true }),
    ...(later !== undefined && { retryAfterMs: later }),
  }
}

function failed(reason: string): Extract<AlertOutcome, { delivered: false }> {
  return { delivered: false, reason }
}

async function aborting<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) throw asError(signal.reason)
  let stop = (): void => undefined
  const aborted = new Promise<never>((_, reject) => (stop = () => reject(asError(signal.reason))))
  signal.addEventListener('abort', stop)
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value))
}

/** The platform's codes tell what went wrong without naming the address. */
function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) return error instanceof Error ? error.message : String(error)
  return `the receiver could not be reached (${code})`
}
