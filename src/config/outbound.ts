import { BlockList } from 'node:net'
import { addNetwork, parseNetwork } from '../platform/networks.ts'
import { splitList } from './setting.ts'

/** What addresses given by people may lead to, besides the public internet. */
export interface OutboundAllowance {
  /** In lower case. */
  readonly hosts: readonly string[]
  readonly networks: BlockList
}

/** Reads `MIMIR_OUTBOUND_ALLOW`; errors are added to `problems`. */
export function readOutboundAllow(list: string, problems: string[]): OutboundAllowance {
  const hosts: string[] = []
  const networks = new BlockList()
  for (const entry of splitList(list.toLowerCase())) {
    const network = parseNetwork(entry)
    if (network) addNetwork(networks, network)
    else if (/^[a-z0-9.-]+$/.test(entry)) hosts.push(entry)
    else problems.push(`MIMIR_OUTBOUND_ALLOW: ${entry} is not a host, an address or a network`)
  }
  return { hosts, networks }
}
