import { expect, test } from 'vitest'
import { addressPolicy } from '../../../src/alerts/address-policy.ts'
import { createHttpSender } from '../../../src/alerts/http-sender.ts'
import type { HttpSenderOptions } from '../../../src/alerts/http-sender.ts'
import { retryAfterMs } from '../../../src/alerts/retry-after.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { openReceiver, testAuthority } from '../../support/alert-receiver.ts'

const signal = new AbortController().signal
const toLoopback = async () => ['127.0.0.1']

function post(url: string, options: Partial<HttpSenderOptions> = {}, body = '{}') {
  const send = createHttpSender({
    policy: addressPolicy({ private: true }),
    clock: systemClock(),
    ca: testAuthority,
    resolve: toLoopback,
    ...options,
  })
  return send({ url, headers: { 'x-test': 'yes' }, body }, { signal })
}

test('AL4 a request goes to the checked address under its own name: certificate, SNI and Host are of the name', async () => {
  await using receiver = await openReceiver()
  expect(await post(`https://receiver.test:${receiver.port}/a/b?c=d`, {}, '{"x":"ü"}')).toEqual({ delivered: true })
  expect(receiver.requests).toMatchObject([
    { method: 'POST', path: '/a/b?c=d', body: '{"x":"ü"}', headers: { host: `receiver.test:${receiver.port}`, 'x-test': 'yes' } },
  ])
  // The certificate is of another name, or of an authority that nobody trusts.
  expect(await post(`https://other.test:${receiver.port}/`)).toMatchObject({
    delivered: false,
    reason: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
  })
  expect(await post(`https://receiver.test:${receiver.port}/`, { ca: undefined as never })).toMatchObject({ delivered: false })
  expect(await post(`https://127.0.0.1:${receiver.port}/`)).toEqual({ delivered: true })
  expect(receiver.requests).toHaveLength(2)
})

test('AL4 plain http is refused, but to loopback addresses where the application allows it', async () => {
  await using receiver = await openReceiver({ secure: false })
  const url = `http://127.0.0.1:${receiver.port}/`
  expect(await post(url)).toEqual({ delivered: false, reason: 'the address is not https', final: true })
  expect(await post('http://inner.test/', { allowHttp: true, resolve: async () => ['10.0.0.1'] })).toMatchObject({ final: true })
  expect(await post(url, { allowHttp: true })).toEqual({ delivered: true })
  for (const other of ['ftp://receiver.test/', 'file:///etc/passwd', 'javascript:alert(1)', 'receiver.test', ''])
    expect(await post(other, { allowHttp: true })).toMatchObject({ delivered: false, final: true })
  expect(receiver.requests).toHaveLength(1)
})

test('AL4 redirects are not followed', async () => {
  await using receiver = await openReceiver()
  const inner = `https://127.0.0.1:${receiver.port}/inner`
  for (const status of [301, 302, 303, 307, 308]) {
    receiver.answer = (_, __, response) => void response.writeHead(status, { location: inner }).end()
    const outcome = await post(`https://receiver.test:${receiver.port}/outer`)
    expect(outcome).toMatchObject({ delivered: false, reason: `the receiver redirects (${status}), which is not followed` })
  }
  expect(receiver.requests.map(({ path }) => path)).toEqual(Array.from({ length: 5 }, () => '/outer'))
  receiver.answer = (_, __, response) => void response.writeHead(200).end()
  expect(await post(inner)).toEqual({ delivered: true })
  expect(receiver.requests.at(-1)?.path).toBe('/inner')
})

test('AL2 what a receiver answers: 2xx is delivered, 410 is for good, the rest is tried again, when it asks to', async () => {
  await using receiver = await openReceiver()
  const answers: [number, Record<string, string>, object][] = [
    [200, {}, { delivered: true }],
    [299, {}, { delivered: true }],
    [400, {}, { delivered: false, reason: 'the receiver answered 400' }],
    [410, {}, { delivered: false, reason: 'the receiver answered 410', final: true }],
    [429, { 'retry-after': '7' }, { delivered: false, reason: 'the receiver answered 429', retryAfterMs: 7_000 }],
    [503, { 'retry-after': 'soon' }, { delivered: false, reason: 'the receiver answered 503' }],
  ]
  for (const [status, headers, expected] of answers) {
    receiver.answer = (_, __, response) => void response.writeHead(status, headers).end('secret words')
    expect(await post(`https://receiver.test:${receiver.port}/`)).toEqual(expected)
  }
})

test('AL2 a date to retry after counts from the receiver’s own clock', () => {
  const date = 'Wed, 21 Oct 2026 07:28:00 GMT'
  expect(retryAfterMs('Wed, 21 Oct 2026 07:28:30 GMT', date)).toBe(30_000)
  expect(retryAfterMs('Wed, 21 Oct 2026 07:27:00 GMT', date)).toBe(0)
  expect(retryAfterMs('120', date)).toBe(120_000)
  for (const wrong of ['', '-1', '1e9', 'soon', '99999999999']) expect(retryAfterMs(wrong, date)).toBeUndefined()
  expect(retryAfterMs('Wed, 21 Oct 2026 07:28:30 GMT', undefined)).toBeUndefined()
})

test('AL2 a receiver that never answers is given up after the time limit; nobody there is told without the address', async () => {
  await using receiver = await openReceiver()
  receiver.answer = () => undefined
  expect(await post(`https://receiver.test:${receiver.port}/`, { timeoutMs: 200 })).toEqual({
    delivered: false,
    reason: 'it took longer than 0.2 s',
  })
  const { port } = receiver
  await receiver[Symbol.asyncDispose]()
  const outcome = await post(`https://receiver.test:${port}/secret-path`)
  expect(outcome).toEqual({ delivered: false, reason: 'the receiver could not be reached (ECONNREFUSED)' })
})

test('AL2 an answer without end does not fill the memory, nor hold the delivery up', async () => {
  await using receiver = await openReceiver()
  let written = 0
  receiver.answer = (_, __, response) => {
    response.writeHead(200)
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) written += 1
    }
    response.on('drain', more)
    response.on('error', () => undefined)
    more()
  }
  expect(await post(`https://receiver.test:${receiver.port}/`)).toEqual({ delivered: true })
  expect(written).toBeLessThan(1_000)
})

test('AL2 the next address of a name is tried when one cannot be reached', async () => {
  await using receiver = await openReceiver()
  // Nobody listens there.
  const resolve = async () => ['127.0.0.2', '127.0.0.1']
  expect(await post(`https://receiver.test:${receiver.port}/`, { resolve })).toEqual({ delivered: true })
  expect(receiver.requests).toHaveLength(1)
})

test('AL4 a user in the address is sent as Basic authorization, not as a host', async () => {
  await using receiver = await openReceiver()
  expect(await post(`https://ada:se%20cret@receiver.test:${receiver.port}/`)).toEqual({ delivered: true })
  expect(receiver.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ada:se cret').toString('base64')}`)
})
