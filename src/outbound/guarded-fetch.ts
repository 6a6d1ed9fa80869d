import { lookup } from 'node:dns/promises'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import type { OutboundAllowance } from '../config/outbound.ts'
import { hostOf, mayReach, parseTarget } from './address-rules.ts'

const TIMEOUT_MS = 10_000
const MAX_BYTES = 64 * 1024
/** How many addresses of a name are tried. */
const MAX_ADDRESSES = 2

export interface OutboundRequest {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** The URL comes from the settings, so it may be anywhere and without TLS. */
  readonly trusted?: boolean
  /** For the whole exchange; 10 s by default. */
  readonly timeoutMs?: number
  /** Largest response body in bytes; 64 KiB by default. */
  readonly maxBytes?: number
}

export interface OutboundAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

/** Why there is no response. `blocked` is final; the other reasons may pass. */
export class OutboundError extends Error {
  readonly reason: 'blocked' | 'timeout' | 'too_large' | 'redirect' | 'unreachable'

  constructor(reason: OutboundError['reason'], options?: ErrorOptions) {
    super(`the outbound request failed: ${reason}`, options)
    this.reason = reason
  }
}

/**
 * The only way out to user-supplied URLs. Accepts https only (http for listed hosts), resolves the name,
 * refuses addresses in private networks, connects to the very address it checked, follows no redirect,
 * and bounds time and size. Throws an `OutboundError`.
 */
export type GuardedFetch = (request: OutboundRequest) => Promise<OutboundAnswer>

export function createGuardedFetch(allow: OutboundAllowance): GuardedFetch {
  return async (request) => {
    const url = parseTarget(request.url, allow, request.trusted)
    if (!url) throw new OutboundError('blocked')
    const deadline = AbortSignal.timeout(request.timeoutMs ?? TIMEOUT_MS)
    const host = hostOf(url)
    const addresses = await orTimeout(resolve(host), deadline)
    const allowed = request.trusted || addresses.every((address) => mayReach(allow, host, address))
    // One private address among public ones is a sign of DNS rebinding.
    if (!allowed) throw new OutboundError('blocked')
    let failure: unknown
    for (const address of addresses.slice(0, MAX_ADDRESSES)) {
      try {
        return await exchange(request, url, address, deadline)
      } catch (error) {
        failure = error
        if (error instanceof OutboundError && error.reason !== 'unreachable') throw error
      }
    }
    throw failure
  }
}

async function resolve(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host]
  try {
    const found = await lookup(host, { all: true })
    if (found.length > 0) return found.map(({ address }) => address)
    throw new Error(`${host} has no address`)
  } catch (cause) {
    throw new OutboundError('unreachable', { cause })
  }
}

function orTimeout<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    deadline.addEventListener('abort', () => reject(new OutboundError('timeout')), { once: true })
    work.then(resolve, reject)
  })
}

function exchange(
  request: OutboundRequest,
  url: URL,
  address: string,
  deadline: AbortSignal,
): Promise<OutboundAnswer> {
  const secure = url.protocol === 'https:'
  const host = hostOf(url)
  const most = request.maxBytes ?? MAX_BYTES
  const { promise, resolve, reject } = Promise.withResolvers<OutboundAnswer>()
  const outgoing = (secure ? requestHttps : requestHttp)(
    {
      // Pinned: the name is not resolved again, but the certificate must still match it.
      host: address,
      port: url.port || (secure ? 443 : 80),
      path: url.pathname + url.search,
      method: request.method,
      headers: { ...request.headers, ...lengthOf(request.body), host: url.host },
      ...(secure && isIP(host) === 0 ? { servername: host } : {}),
      signal: deadline,
    },
    (incoming) => {
      const { statusCode: status = 0 } = incoming
      const abandon = (reason: OutboundError['reason']) => {
        reject(new OutboundError(reason))
        incoming.destroy()
        outgoing.destroy()
      }
      if (status >= 300 && status < 400) return abandon('redirect')
      const parts: Buffer[] = []
      let size = 0
      incoming.on('data', (part: Buffer) => {
        parts.push(part)
        size += part.length
        if (size > most) abandon('too_large')
      })
      incoming.on('error', fail)
      incoming.on('end', () => {
        const headers = new Headers()
        for (const [name, value] of Object.entries(incoming.headers)) {
          if (value !== undefined) headers.set(name, String(value))
        }
        resolve({ status, headers, body: Buffer.concat(parts) })
      })
    },
  )
  function fail(cause: unknown): void {
    reject(new OutboundError(deadline.aborted ? 'timeout' : 'unreachable', { cause }))
  }
  outgoing.on('error', fail)
  // Some aborts emit no error on either stream.
  deadline.addEventListener('abort', () => fail(deadline.reason), { once: true })
  outgoing.end(request.body)
  return promise
}

function lengthOf(body: string | Uint8Array | undefined): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
}
