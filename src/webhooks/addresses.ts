import { BlockList, isIP } from 'node:net'

/** IPv4 blocks that are not the public internet (IANA special-purpose registry, RFC 6890). */
const NOT_PUBLIC_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

/** Within 2000::/3: protocol assignments, documentation, and what carries an IPv4 address. */
const NOT_PUBLIC_V6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const refused = new BlockList()
for (const [network, prefix] of NOT_PUBLIC_V4) refused.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of NOT_PUBLIC_V6) refused.addSubnet(network, prefix, 'ipv6')

/** Everything that IPv6 routes in public; mapped, local and translated addresses are outside. */
const routed = new BlockList()
routed.addSubnet('2000::', 3, 'ipv6')

/**
 * True for an address on the public internet: not private, not loopback, not link-local (where
 * clouds keep their metadata), not shared by carriers, and no IPv4 address in the form of an IPv6.
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !refused.check(address, 'ipv4')
  if (family === 6) return routed.check(address, 'ipv6') && !refused.check(address, 'ipv6')
  return false
}
