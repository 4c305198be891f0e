import { BlockList, isIP } from 'node:net'

/** Which addresses an alert may be sent to, of those that a name resolves to (AL4). */
export interface AddressPolicy {
  isAllowed(address: string): boolean
}

/** Ranges that are not out on the internet: those that IANA lists as not globally reachable, and multicast. */
const inner: readonly (readonly [address: string, prefix: number, what: string])[] = [
  ['0.0.0.0', 8, 'this network'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared by carriers'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local, metadata services among them'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'protocol assignments'],
  ['192.0.2.0', 24, 'documentation'],
  ['192.88.99.0', 24, '6to4 relays'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'benchmarks'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved, and broadcast'],
]

/** Of IPv6 only global unicast is out there: loopback, link-local, unique local, mapped and NAT64 addresses lie outside of it. */
const globalUnicast = ['2000::', 3] as const

/** Within global unicast: what is not reachable, and what stands for an IPv4 address. */
const innerOfGlobal: readonly (readonly [address: string, prefix: number, what: string])[] = [
  ['2001::', 23, 'protocol assignments, Teredo and benchmarks among them'],
  ['2001:db8::', 32, 'documentation'],
  ['2002::', 16, '6to4'],
  ['3fff::', 20, 'documentation'],
]

const loopback = listOf([
  ['127.0.0.0', 8],
  ['::1', 128],
])
const refusedIPv4 = listOf(inner)
const allowedIPv6 = listOf([globalUnicast])
const refusedIPv6 = listOf(innerOfGlobal)

/** Addresses of the public internet only; with `private`, any address. */
export function addressPolicy(options: { readonly private: boolean }): AddressPolicy {
  return { isAllowed: (address) => isIP(address) !== 0 && (options.private || isPublic(address)) }
}

/** Whether an address is one of the public internet. */
function isPublic(address: string): boolean {
  // One with a zone means something on one link only.
  if (address.includes('%')) return false
  if (isIP(address) === 4) return !refusedIPv4.check(address, 'ipv4')
  return isIP(address) === 6 && allowedIPv6.check(address, 'ipv6') && !refusedIPv6.check(address, 'ipv6')
}

/** Whether an address is this machine's own. */
export function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && loopback.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
}

function listOf(ranges: readonly (readonly [address: string, prefix: number, what?: string])[]): BlockList {
  const list = new BlockList()
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, isIP(address) === 4 ? 'ipv4' : 'ipv6')
  return list
}
