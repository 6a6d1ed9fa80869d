import { BlockList, isIP } from 'node:net'

/** A network, or a single address as a network of one. */
export interface Network {
  readonly address: string
  /** Number of leading bits that all its addresses share. */
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

/** Reads an address or a network (CIDR); undefined for any other text. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  const most = family === 6 ? 128 : 32
  if (family === 0 || address.includes('%') || rest.length > 0) return undefined
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return undefined
  const prefix = Number(bits ?? most)
  if (prefix > most) return undefined
  return { address, prefix, family: family === 6 ? 'ipv6' : 'ipv4' }
}

export function addNetwork(list: BlockList, { address, prefix, family }: Network): void {
  list.addSubnet(address, prefix, family)
}

/** Whether the address is in one of the networks. An empty list matches any address, even none. */
export function isWithin(networks: readonly string[], address: string | undefined): boolean {
  if (networks.length === 0) return true
  if (address === undefined || isIP(address) === 0) return false
  const plain = plainAddress(address)
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  for (const text of networks) {
    const network = parseNetwork(text)
    // A list of both families would match every IPv4 address against the mapped networks.
    if (network?.family === family) addNetwork(list, network)
  }
  return list.check(plain, family)
}

/** Turns an IPv4-mapped IPv6 address, as dual-stack listeners report it, into plain IPv4. */
export function plainAddress(address: string): string {
  const groups = groupsOf(address)
  if (!groups?.slice(0, 5).every((group) => group === 0) || groups[5] !== 0xffff) return address
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}

/**
 * The key by which calls from an address are counted. For IPv6 it is the /64: every customer of a provider
 * has at least one, and may call from any of its addresses.
 */
export function limitKey(address: string | undefined): string {
  if (address === undefined) return ''
  const plain = plainAddress(address)
  const groups = groupsOf(plain)
  if (!groups) return plain
  const network = groups.slice(0, 4).map((group) => group.toString(16))
  return `${network.join(':')}::/64`
}

/** The eight groups of an IPv6 address as numbers; undefined for anything else. */
function groupsOf(address: string): number[] | undefined {
  if (isIP(address) !== 6) return undefined
  const [bare = ''] = address.split('%')
  const [head = [], tail = []] = bare.split('::').map(groupsIn)
  const middle = Array<number>(8 - head.length - tail.length).fill(0)
  return [...head, ...middle, ...tail]
}

/** The groups of a part without `::`; an IPv4 address at its end stands for two of them. */
function groupsIn(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
