import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { connect, type TLSSocket } from 'node:tls'
import { OutboundError } from './guarded-fetch.ts'

const TIMEOUT_MS = 5000
/** Private security and authorization messages (RFC 5424 §6.2.1). */
const FACILITY_AUTHPRIV = 10

export interface SyslogServer {
  readonly host: string
  readonly port: number
  /** Trusted certificates in PEM; undefined: the system's own. */
  readonly certificates: string | undefined
}

export interface SyslogRecord {
  /** 0 to 7 (RFC 5424 §6.2.1). */
  readonly severity: number
  /** ISO 8601 in UTC. */
  readonly time: string
  /** The kind of record (MSGID): letters, digits, dots and the like. */
  readonly messageId: string
  readonly text: string
}

/**
 * Sends records as RFC 5424 over TLS (RFC 5425, octet counting). The protocol has no acknowledgement, so
 * each batch uses its own connection and counts as delivered once the other side closes it in order,
 * which it does after reading to the end.
 */
export function sendSyslog(server: SyslogServer, records: readonly SyslogRecord[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const { host, port, certificates } = server
  const socket: TLSSocket = connect({
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(certificates ? { ca: certificates } : {}),
    minVersion: 'TLSv1.2',
  })
  const fail = (cause: unknown, reason: OutboundError['reason'] = 'unreachable') => {
    clearTimeout(deadline)
    reject(new OutboundError(reason, { cause }))
    socket.destroy()
  }
  const deadline = setTimeout(() => fail(undefined, 'timeout'), TIMEOUT_MS)
  socket.on('error', fail)
  socket.on('secureConnect', () => {
    socket.resume()
    socket.end(records.map(frame).join(''))
  })
  socket.on('end', () => {
    clearTimeout(deadline)
    resolve()
  })
  // Closed before the end: the other side broke off. Has no effect after it.
  socket.on('close', () => fail(new Error('the connection was broken off')))
  return promise
}

function frame({ severity, time, messageId, text }: SyslogRecord): string {
  const priority = FACILITY_AUTHPRIV * 8 + severity
  const host = hostname().replaceAll(/[^\x21-\x7e]/g, '') || '-'
  const record = `<${priority}>1 ${time} ${host} mimir ${process.pid} ${messageId} - ${text}`
  return `${Buffer.byteLength(record)} ${record}`
}
