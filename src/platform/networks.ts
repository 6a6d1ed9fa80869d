import { BlockList, isIP } from 'node:net'

/** Whether the text is an address or a network (CIDR). */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  const most = family === 6 ? 128 : 32
  const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
  return family !== 0 && !address.includes('%') && rest.length === 0 && isPrefix
}

/** Whether the address is in one of the networks; in none of none, unless the list is empty. */
export function isWithin(networks: readonly string[], address: string | undefined): boolean {
  if (networks.length === 0) return true
  if (address === undefined || isIP(address) === 0) return false
  const plain = plainAddress(address)
  const family = isIP(plain)
  const list = new BlockList()
  for (const network of networks) {
    const [base = '', bits] = network.split('/')
    // Lists of both families find every version 4 address in the network of the mapped ones.
    if (isIP(base) !== family) continue
    list.addSubnet(base, Number(bits ?? (family === 6 ? 128 : 32)), family === 6 ? 'ipv6' : 'ipv4')
  }
  return list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}

/** An address of version 4 that is written as one of version 6, as dual-stack listeners do, in its own form. */
export function plainAddress(address: string): string {
  const groups = groupsOf(address)
  if (!groups?.slice(0, 5).every((group) => group === 0) || groups[5] !== 0xffff) return address
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}

/**
 * Whose calls are counted together. Of version 6 it is the whole /64: every customer of a provider has at least one,
 * and may call from any of its addresses.
 */
export function limitKey(address: string | undefined): string {
  if (address === undefined) return ''
  const plain = plainAddress(address)
  const groups = groupsOf(plain)
  if (!groups) return plain
  const network = groups.slice(0, 4).map((group) => group.toString(16))
  return `${network.join(':')}::/64`
}

/** The eight numbers of an address of version 6; undefined for anything else. */
function groupsOf(address: string): number[] | undefined {
  if (isIP(address) !== 6) return undefined
  const [bare = ''] = address.split('%')
  const [head = [], tail = []] = bare.split('::').map(groupsIn)
  const middle = Array<number>(8 - head.length - tail.length).fill(0)
  return [...head, ...middle, ...tail]
}

/** The numbers of a part without `::`; at its end an address of version 4 may stand for two of them. */
function groupsIn(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
