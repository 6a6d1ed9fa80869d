import { isIP } from 'node:net'
import { splitList } from './setting.ts'
import type { SettingValues } from './settings.ts'

/** The relay for calls, and what `mimir turn config` prints for it. */
export interface TurnConfig {
  /** A name or an address, IPv6 without brackets; undefined: clients are offered no relay. */
  readonly host: string | undefined
  /** The realm, if it is not the host. */
  readonly realm: string | undefined
  readonly port: number
  /** Undefined: the relay does not support TLS. */
  readonly tlsPort: number | undefined
  /** Addresses, or ranges in coturn's notation. */
  readonly allowedPeers: readonly string[]
}

/** Cross-checks the settings of the relay; errors are added to `problems`. */
export function readTurn(values: SettingValues, problems: string[]): TurnConfig {
  const host = values.TURN_HOST?.replace(/^\[(.+)\]$/, '$1')
  if (host !== undefined && isIP(host) === 0 && !/^[A-Za-z0-9._-]+$/.test(host)) {
    problems.push('TURN_HOST: only a name or an address; the port goes into TURN_PORT')
  }
  const { TURN_REALM: realm, TURN_PORT: port, TURN_TLS_PORT: tlsPort } = values
  if (port === tlsPort) problems.push('TURN_TLS_PORT: is the same as TURN_PORT')
  const allowedPeers = readPeers(values.TURN_ALLOWED_PEERS, problems)
  return { host, realm, port, tlsPort: tlsPort || undefined, allowedPeers }
}

function readPeers(list: string, problems: string[]): string[] {
  return splitList(list).filter((peer) => {
    const [first = '', last = first, ...more] = peer.split('-')
    const known = isIP(first) !== 0 && isIP(first) === isIP(last) && more.length === 0
    if (!known)
      problems.push(`TURN_ALLOWED_PEERS: ${peer} is neither an address nor a range FROM-TO`)
    return known
  })
}
