import type { Config } from '../../config/config.ts'

/** Private and special networks (RFC 6890): a relay must not be a way into its surroundings. */
const DENIED_PEERS = [
  '0.0.0.0-0.255.255.255',
  '10.0.0.0-10.255.255.255',
  '100.64.0.0-100.127.255.255',
  '127.0.0.0-127.255.255.255',
  '169.254.0.0-169.254.255.255',
  '172.16.0.0-172.31.255.255',
  '192.0.0.0-192.0.0.255',
  '192.168.0.0-192.168.255.255',
  '198.18.0.0-198.19.255.255',
  '240.0.0.0-255.255.255.255',
  '::-::1',
  // The same networks again in IPv6 notations of IPv4: mapped, NAT64 and 6to4.
  '::ffff:0.0.0.0-::ffff:255.255.255.255',
  '64:ff9b::-64:ff9b::ffff:ffff',
  '2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  'fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  'fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
]

/** A complete `turnserver.conf` that accepts credentials made with any of the secrets. */
export function writeCoturnConfig(
  { turn, publicUrl }: Pick<Config, 'turn' | 'publicUrl'>,
  secrets: readonly string[],
): string {
  // Only the public URL's host: its port and path are not the relay's.
  const host = turn.host ?? new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')
  return `${[
    '# coturn for Mimir: /etc/turnserver.conf',
    `listening-port=${turn.port}`,
    ...tlsLines(turn.tlsPort, host),
    '# Ports for the calls themselves: open them for UDP.',
    'min-port=49152',
    'max-port=65535',
    '',
    '# Time-limited credentials (TURN REST). During a rotation the older secrets stay listed.',
    'use-auth-secret',
    ...secrets.map((secret) => `static-auth-secret=${secret}`),
    `realm=${turn.realm ?? host}`,
    `server-name=${host}`,
    '',
    '# Behind NAT: the public address, and the one of this machine.',
    '#external-ip=PUBLIC/PRIVATE',
    '',
    'fingerprint',
    'no-cli',
    'no-multicast-peers',
    '# A relay must not give access to the private networks around it.',
    ...DENIED_PEERS.map((range) => `denied-peer-ip=${range}`),
    ...allowedLines(turn.allowedPeers),
    '# A phone in two networks makes one allocation per network and relay address.',
    'user-quota=30',
    'total-quota=1200',
  ].join('\n')}\n`
}

function tlsLines(port: number | undefined, host: string): string[] {
  if (port === undefined) return ['no-tls', 'no-dtls', '']
  return [
    `tls-listening-port=${port}`,
    '# For TLS, point these at the certificate of the host.',
    `#cert=/etc/letsencrypt/live/${host}/fullchain.pem`,
    `#pkey=/etc/letsencrypt/live/${host}/privkey.pem`,
    '',
  ]
}

/** In coturn allowed peers win over denied ones, but loopback has a switch of its own. */
function allowedLines(peers: readonly string[]): string[] {
  if (peers.length === 0) return []
  const loopback = peers.some((peer) => /^(127[.]|::1$)/.test(peer))
  return [
    '# TURN_ALLOWED_PEERS',
    ...peers.map((peer) => `allowed-peer-ip=${peer}`),
    ...(loopback ? ['allow-loopback-peers'] : []),
  ]
}
