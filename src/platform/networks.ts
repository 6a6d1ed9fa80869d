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
  // Dual-stack listeners write version 4 addresses so.
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
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
