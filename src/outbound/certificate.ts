import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { SECOND } from '../platform/clock.ts'

const TIMEOUT_MS = 10 * SECOND

/**
 * When the certificate served at an https URL expires, in milliseconds since 1970; undefined if there is
 * no answer. It need not be trusted: an expired one is to be reported too.
 */
export function certificateEnd(url: string): Promise<number | undefined> {
  const { hostname, port, protocol } = new URL(url)
  if (protocol !== 'https:') return Promise.resolve(undefined)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      rejectUnauthorized: false,
      timeout: TIMEOUT_MS,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    })
    const finish = (end: number | undefined) => {
      resolve(end)
      socket.destroy()
    }
    socket.on('secureConnect', () => {
      const end = Date.parse(socket.getPeerCertificate().valid_to)
      finish(Number.isNaN(end) ? undefined : end)
    })
    socket.on('timeout', () => finish(undefined))
    socket.on('error', () => finish(undefined))
  })
}
