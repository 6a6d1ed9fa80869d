import { BlockList, isIP } from 'node:net'
import type { OutboundAllowance } from '../config/outbound.ts'

/**
 * Networks outside the public internet (IANA's special-purpose registries). The mapped and translated
 * IPv4 forms are included, since each could stand for an address of any of the others.
 */
const SPECIAL_NETWORKS: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

// Separate, since a list of both families matches every IPv4 address against the mapped networks.
const special4 = new BlockList()
const special6 = new BlockList()
for (const [address, prefix] of SPECIAL_NETWORKS) {
  if (isIP(address) === 6) special6.addSubnet(address, prefix, 'ipv6')
  else special4.addSubnet(address, prefix, 'ipv4')
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** Whether the administrator listed the host or the network of the address. */
export function isListed(allow: OutboundAllowance, host: string, address?: string): boolean {
  if (allow.hosts.includes(host.toLowerCase())) return true
  const literal = address ?? host
  return isIP(literal) !== 0 && isIn(allow.networks, literal)
}

/** Whether a connection to the address may be opened on behalf of a user. */
export function mayReach(allow: OutboundAllowance, host: string, address: string): boolean {
  if (isIP(address) === 0) return false
  // A zone (`fe80::1%eth0`) names an interface of this machine.
  if (address.includes('%')) return false
  return isListed(allow, host, address) || !isIn(isIP(address) === 6 ? special6 : special4, address)
}

/** The host of a URL as a name or a bare address, without IPv6 brackets or a trailing dot. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

/**
 * Parses a URL that a user may supply: https, or http to a listed host, and no literal address of a
 * private network. Where its name resolves to must be checked separately.
 */
export function parseTarget(
  text: string,
  allow: OutboundAllowance,
  trusted = false,
): URL | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined
  if (trusted) return url
  const host = hostOf(url)
  if (isIP(host) !== 0 && !mayReach(allow, host, host)) return undefined
  return url.protocol === 'https:' || isListed(allow, host) ? url : undefined
}
