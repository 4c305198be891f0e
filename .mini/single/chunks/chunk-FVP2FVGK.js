// src/alerts/address-policy.ts
import { BlockList, isIP } from "node:net";
var inner = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "shared by carriers"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "link-local, metadata services among them"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "protocol assignments"],
  ["192.0.2.0", 24, "documentation"],
  ["192.88.99.0", 24, "6to4 relays"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "benchmarks"],
  ["198.51.100.0", 24, "documentation"],
  ["203.0.113.0", 24, "documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved, and broadcast"]
];
var globalUnicast = ["2000::", 3];
var innerOfGlobal = [
  ["2001::", 23, "protocol assignments, Teredo and benchmarks among them"],
  ["2001:db8::", 32, "documentation"],
  ["2002::", 16, "6to4"],
  ["3fff::", 20, "documentation"]
];
var loopback = listOf([
  ["127.0.0.0", 8],
  ["::1", 128]
]);
var refusedIPv4 = listOf(inner);
var allowedIPv6 = listOf([globalUnicast]);
var refusedIPv6 = listOf(innerOfGlobal);
function addressPolicy(options) {
  return { isAllowed: (address) => isIP(address) !== 0 && (options.private || isPublic(address)) };
}
function isPublic(address) {
  if (address.includes("%")) return false;
  if (isIP(address) === 4) return !refusedIPv4.check(address, "ipv4");
  return isIP(address) === 6 && allowedIPv6.check(address, "ipv6") && !refusedIPv6.check(address, "ipv6");
}
function isLoopback(address) {
  return isIP(address) !== 0 && loopback.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
}
function listOf(ranges) {
  const list = new BlockList();
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, isIP(address) === 4 ? "ipv4" : "ipv6");
  return list;
}

export {
  addressPolicy,
  isLoopback
};
