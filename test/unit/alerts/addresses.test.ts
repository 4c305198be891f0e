import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addressPolicy } from '../../../src/alerts/address-policy.ts'
import { createHttpSender } from '../../../src/alerts/http-sender.ts'
import type { Dialing } from '../../../src/alerts/http-sender.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { openReceiver, testAuthority } from '../../support/alert-receiver.ts'
import type { HttpReceiver } from '../../support/alert-receiver.ts'

/** Every spelling, with the address that it stands for. */
const literals: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1': [
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0x7F.1',
    '0177.0.0.1',
    '0177.1',
    '017700000001',
    '127.0.0.1.',
    '%31%32%37.0.0.1',
    '127.0.0.%31',
    '１２７.０.０.１',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '127．0．0．1',
    '127｡0｡0｡1',
    'user@127.0.0.1',
    'receiver.test@127.0.0.1',
    'receiver.test:443@127.0.0.1',
    'user:receiver.test@127.1',
  ],
  '127.255.255.254': ['127.255.255.254', '0x7ffffffe'],
  '0.0.0.0': ['0.0.0.0', '0', '0x0', '00.0'],
  '0.1.2.3': ['0.1.2.3'],
  '10.0.0.1': ['10.0.0.1', '10.1', '012.0.0.1', '167772161', '0xa000001', 'receiver.test@10.0.0.1'],
  '10.255.255.255': ['10.255.255.255'],
  '100.64.0.1': ['100.64.0.1'],
  '100.100.100.200': ['100.100.100.200'],
  '100.127.255.254': ['100.127.255.254'],
  '169.254.169.254': ['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518'],
  '169.254.170.2': ['169.254.170.2'],
  '172.16.0.1': ['172.16.0.1', '172.1048577'],
  '172.31.255.255': ['172.31.255.255'],
  '192.0.0.192': ['192.0.0.192'],
  '192.0.2.1': ['192.0.2.1'],
  '192.88.99.1': ['192.88.99.1'],
  '192.168.1.1': ['192.168.1.1', '3232235777', '0xc0a80101', '0300.0250.1.1'],
  '198.18.0.1': ['198.18.0.1'],
  '198.19.255.255': ['198.19.255.255'],
  '198.51.100.7': ['198.51.100.7'],
  '203.0.113.9': ['203.0.113.9'],
  '224.0.0.1': ['224.0.0.1'],
  '239.255.255.250': ['239.255.255.250'],
  '240.0.0.1': ['240.0.0.1'],
  '255.255.255.255': ['255.255.255.255', '4294967295'],
  '::': ['[::]', '[0:0:0:0:0:0:0:0]'],
  '::1': ['[::1]', '[0:0:0:0:0:0:0:1]', '[0000::0001]', 'receiver.test@[::1]'],
  '::ffff:7f00:1': ['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:7f00:0001]'],
  '::ffff:a9fe:a9fe': ['[::ffff:169.254.169.254]'],
  '::7f00:1': ['[::127.0.0.1]', '[::7f00:1]'],
  '::ffff:0:7f00:1': ['[::ffff:0:127.0.0.1]'],
  '64:ff9b::7f00:1': ['[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]'],
  '64:ff9b::a9fe:a9fe': ['[64:ff9b::169.254.169.254]'],
  '64:ff9b:1::a00:1': ['[64:ff9b:1::10.0.0.1]'],
  '64:ff9b:1:ffff::a00:1': ['[64:ff9b:1:ffff::a00:1]'],
  '100::1': ['[100::1]'],
  '2001::1': ['[2001::1]'],
  '2001:0:4136:e378:8000:63bf:80ff:fffe': ['[2001:0:4136:e378:8000:63bf:80ff:fffe]'],
  '2001:2::1': ['[2001:2::1]'],
  '2001:10::1': ['[2001:10::1]'],
  '2001:20::1': ['[2001:20::1]'],
  '2001:db8::1': ['[2001:db8::1]'],
  '2002:7f00:1::': ['[2002:7f00:1::]'],
  '2002:c0a8:101::1': ['[2002:c0a8:101::1]'],
  '3fff::1': ['[3fff::1]'],
  '5f00::1': ['[5f00::1]'],
  'fc00::1': ['[fc00::1]'],
  'fd00:ec2::254': ['[fd00:ec2::254]'],
  'fe80::1': ['[fe80::1]'],
  'fe80::a9fe:a9fe': ['[fe80::169.254.169.254]'],
  'febf::1': ['[febf::1]'],
  'fec0::1': ['[fec0::1]'],
  'ff02::1': ['[ff02::1]'],
  'ff0e::1': ['[ff0e::1]'],
}

/** Names that resolve there, and what they resolve to. */
const names: Readonly<Record<string, readonly string[]>> = {
  'localhost.': ['127.0.0.1'],
  'app.localhost': ['127.0.0.1'],
  'metadata.google.internal': ['169.254.169.254'],
  '127.0.0.1.nip.io': ['127.0.0.1'],
  'one-of-two.test': ['93.184.216.34', '10.0.0.1'],
  'second-family.test': ['93.184.216.34', '::1'],
  'mapped.test': ['::ffff:10.0.0.1'],
  'nat64.test': ['64:ff9b::10.0.0.1'],
  'unique-local.test': ['fd00::1'],
  'zone.test': ['fe80::1%eth0'],
  'dotted.test.': ['192.168.0.1'],
  'xn--bcher-kva.test': ['127.0.0.1'],
  'bücher.test': ['127.0.0.1'],
}

const pages = [
  'https://127.0.0.1#@receiver.test/',
  'https://127.0.0.1?@receiver.test/',
  'https:\\\\127.0.0.1\\x',
  'https:127.0.0.1/x',
  'https:///127.0.0.1/x',
]

const cases = [
  ...Object.entries(literals).flatMap(([address, spellings]) =>
    spellings.map((host) => ({ url: `https://${host}/hook`, address })),
  ),
  ...pages.map((url) => ({ url, address: '127.0.0.1' })),
  ...Object.entries(names).map(([name, [address = '']]) => ({ url: `https://${name}/hook`, address })),
]

const resolveNames = async (host: string): Promise<readonly string[]> => {
  const found = names[host] ?? (host === 'xn--bcher-kva.test' ? ['127.0.0.1'] : undefined)
  if (found === undefined) throw new Error(`no such name: ${host}`)
  return found
}

const signal = new AbortController().signal
let receiver: HttpReceiver
beforeAll(async () => void (receiver = await openReceiver()))
afterAll(() => receiver[Symbol.asyncDispose]())

/** Sends for real, wherever it wants to go, to the receiver of this test; and tells where it wanted to go. */
async function post(url: string, options: { private: boolean; resolve?: (host: string) => Promise<readonly string[]> }) {
  const dialled: Dialing[] = []
  const send = createHttpSender({
    policy: addressPolicy({ private: options.private }),
    clock: systemClock(),
    resolve: options.resolve ?? resolveNames,
    dial(where) {
      dialled.push(where)
      return connect({ host: '127.0.0.1', port: receiver.port, servername: 'receiver.test', ca: testAuthority })
    },
  })
  const before = receiver.requests.length
  const outcome = await send({ url, headers: {}, body: '{}' }, { signal })
  return { outcome, dialled: dialled.map(({ address }) => address), received: receiver.requests.length - before }
}

describe('AL4 an address that is not of the public internet is not connected to, and is when it is allowed', () => {
  test('there are at least 80 of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(80)
    expect(new Set(cases.map(({ url }) => url)).size).toBe(cases.length)
  })
  test.each(cases)('AL4 $url, which is $address', async ({ url, address }) => {
    const refused = await post(url, { private: false })
    expect(refused).toMatchObject({ outcome: { delivered: false, final: true }, dialled: [], received: 0 })
    // The same request, with the address allowed.
    const allowed = await post(url, { private: true })
    expect(allowed).toEqual({ outcome: { delivered: true }, dialled: [address], received: 1 })
  })
})

test('AL4 the names of this machine are not connected to, as the platform resolves them', async () => {
  for (const host of ['localhost', 'LOCALHOST']) {
    const dialled: string[] = []
    const sender = (isPrivate: boolean) =>
      createHttpSender({
        policy: addressPolicy({ private: isPrivate }),
        clock: systemClock(),
        dial(where) {
          dialled.push(where.address)
          return connect({ host: '127.0.0.1', port: receiver.port, servername: 'receiver.test', ca: testAuthority })
        },
      })
    const request = { url: `https://${host}/hook`, headers: {}, body: '{}' }
    expect(await sender(false)(request, { signal })).toMatchObject({ delivered: false, final: true })
    expect(dialled).toEqual([])
    expect(await sender(true)(request, { signal })).toEqual({ delivered: true })
    expect(['127.0.0.1', '::1']).toContain(dialled[0])
  }
})

test('AL4 a resolver that answers differently the second time changes nothing: it is asked once, and what was checked is connected to', async () => {
  const answers = [['93.184.216.34'], ['127.0.0.1']]
  let asked = 0
  const flipping = async () => answers[Math.min(asked++, 1)] ?? []
  const { dialled, outcome } = await post('https://flip.test/hook', { private: false, resolve: flipping })
  expect({ asked, dialled }).toEqual({ asked: 1, dialled: ['93.184.216.34'] })
  // This test's dialling leads to loopback all the same, which is noticed before anything is sent.
  expect(outcome).toMatchObject({ delivered: false })
  asked = 1
  expect(await post('https://flip.test/hook', { private: false, resolve: flipping })).toMatchObject({
    dialled: [],
    outcome: { final: true },
  })
})

test('AL4 a connection that leads elsewhere than it was told is not used', async () => {
  const before = receiver.requests.length
  const { outcome } = await post('https://public.test/hook', { private: false, resolve: async () => ['93.184.216.34'] })
  expect(outcome).toMatchObject({ delivered: false })
  expect(receiver.requests.length).toBe(before)
  expect(await post('https://public.test/hook', { private: true, resolve: async () => ['93.184.216.34'] })).toMatchObject({
    outcome: { delivered: true },
    received: 1,
  })
})

test('AL4 public addresses of both families are connected to', async () => {
  for (const address of ['93.184.216.34', '8.8.8.8', '2606:2800:220:1:248:1893:25c8:1946', '2a00:1450:4001::1'])
    expect((await post('https://public.test/', { private: false, resolve: async () => [address] })).dialled).toEqual([address])
})
