import { type BlockList, isIP } from 'node:net'
import { plainAddress } from '../platform/networks.ts'

/**
 * Returns the client's address. `X-Forwarded-For` is read from its end while the host that wrote each entry
 * is a trusted proxy; the first untrusted host is the client. IPv4-mapped entries are returned in plain IPv4
 * form, so that lists match them and limits count them once.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | null,
  trusted: BlockList,
): string {
  let address = peer
  const hops = forwardedFor?.split(',').map((hop) => withoutPort(hop.trim())) ?? []
  while (hops.length > 0 && isTrusted(address, trusted)) {
    const hop = hops.pop() as string
    if (isIP(hop) === 0) break
    address = plainAddress(hop)
  }
  return address
}

/** Strips the port from `address:port` or `[address]:port`, which some proxies write. */
function withoutPort(hop: string): string {
  const [, ipv6, ipv4] = /^(?:\[(.+)\](?::\d+)?|([\d.]+):\d+)$/.exec(hop) ?? []
  return ipv6 ?? ipv4 ?? hop
}

/** Whether the peer is a trusted proxy, whose headers are believed. */
export function isTrusted(address: string, trusted: BlockList): boolean {
  const family = isIP(address)
  return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
