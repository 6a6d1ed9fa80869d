import { type BlockList, isIP } from 'node:net'
import { plainAddress } from '../platform/networks.ts'

/**
 * The client's address. `X-Forwarded-For` is read from its end, and only as long as the one who
 * wrote each entry is a trusted proxy: the first entry by somebody else is the client. An address of
 * version 4 has one form, so that it is found in lists and counted once.
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

/** The address of `address:port` or `[address]:port`, which some proxies write; anything else as it is. */
function withoutPort(hop: string): string {
  const [, ipv6, ipv4] = /^(?:\[(.+)\](?::\d+)?|([\d.]+):\d+)$/.exec(hop) ?? []
  return ipv6 ?? ipv4 ?? hop
}

/** Whether what the peer says of others is believed. */
export function isTrusted(address: string, trusted: BlockList): boolean {
  const family = isIP(address)
  return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
