import { type Bytes, concat, fromUtf8, utf8 } from '../bytes.ts'
import { ServiceError } from '../errors.ts'
import { isObject } from './answer-fields.ts'
import { readEventStream } from './event-stream.ts'
import { readParts } from './read-parts.ts'
import type { Json, JsonObject, Params, StreamEvent, Transport } from './transport.ts'

export interface HttpTransportOptions {
  /** The server's base URL, including its path if any: `https://chat.example.org`. */
  readonly service: string
  /**
   * Returns the bearer token for a call of that method: a Mimir access token, or an ATProto service token
   * with the method in `lxm`. Called for every request, so the token can be a fresh one.
   */
  readonly token: (nsid: string) => string | Promise<string>
  readonly fetch?: typeof fetch
  /** Milliseconds until the response begins, after which a request counts as lost; a long one has longer. */
  readonly timeoutMs?: number
  /** Milliseconds during which nothing of a response arrives, after which it counts as lost. */
  readonly silenceMs?: number
}

const TIMEOUT_MS = 30_000
/** The bytes that even a bad connection sends in a millisecond: 128 kbit/s. */
const SLOWEST = 16
/** In an event stream the service sends a comment every 20 seconds. */
const SILENCE_MS = 65_000
const MAX_WAIT_MS = 3_600_000
/** The status reported for an error event in a stream, which has no HTTP status of its own. */
const STREAM_ENDED = 400

/** What a request carries beside its address. */
interface Sent {
  readonly headers: Record<string, string>
  readonly body?: Bytes | undefined
  readonly signal?: AbortSignal
}

/** XRPC over `fetch`: queries are GET, procedures POST with JSON (https://atproto.com/specs/xrpc). */
export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions

  constructor(options: HttpTransportOptions) {
    this.#options = options
  }

  async query(nsid: string, params: Params): Promise<JsonObject> {
    return toAnswer(await this.#send('GET', nsid, params))
  }

  async procedure(nsid: string, body: JsonObject): Promise<JsonObject> {
    const text = JSON.stringify(body)
    return toAnswer(await this.#send('POST', nsid, {}, utf8(text), 'application/json'))
  }

  async upload(nsid: string, params: Params, content: Bytes): Promise<JsonObject> {
    const type = 'application/octet-stream'
    return toAnswer(await this.#send('POST', nsid, params, content, type))
  }

  download(nsid: string, params: Params): Promise<Bytes> {
    return this.#send('GET', nsid, params)
  }

  async *events(
    nsid: string,
    params: Params,
    signal: AbortSignal,
    opened: () => void,
  ): AsyncIterable<StreamEvent> {
    const headers = { accept: 'text/event-stream' }
    const response = await this.#request('GET', nsid, params, { headers, signal })
    opened()
    if (!response.body) return
    for await (const event of readEventStream(response.body, this.#silenceMs)) {
      // The service sends an error event before it ends the stream.
      if (event.type === 'error') throw new ServiceError(STREAM_ENDED, event.data)
      yield event
    }
  }

  get #silenceMs(): number {
    return this.#options.silenceMs ?? SILENCE_MS
  }

  async #send(
    method: string,
    nsid: string,
    params: Params,
    body?: Bytes,
    type?: string,
  ): Promise<Bytes> {
    const headers = type === undefined ? {} : { 'content-type': type }
    const response = await this.#request(method, nsid, params, { headers, body })
    if (!response.body) return new Uint8Array()
    const parts: Uint8Array[] = []
    for await (const part of readParts(response.body, this.#silenceMs)) parts.push(part)
    return concat(...parts)
  }

  /** Resolves when the response begins. */
  async #request(
    method: string,
    nsid: string,
    params: Params,
    { headers, body, signal }: Sent,
  ): Promise<Response> {
    const { fetch: send = fetch, timeoutMs = TIMEOUT_MS, token } = this.#options
    const late = new AbortController()
    const allowed = timeoutMs + (body?.length ?? 0) / SLOWEST
    const timer = setTimeout(() => late.abort(timedOut()), allowed)
    try {
      const response = await send(this.#address(nsid, params), {
        method,
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
        headers: { authorization: `Bearer ${await token(nsid)}`, ...headers },
        ...(body === undefined ? {} : { body }),
      })
      if (response.ok) return response
      const { status, headers: answered } = response
      const refusal = toRefusal(new Uint8Array(await response.arrayBuffer()))
      throw new ServiceError(status, refusal, readRetryAfter(answered))
    } finally {
      clearTimeout(timer)
    }
  }

  #address(nsid: string, params: Params): string {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(params)) {
      // XRPC encodes a list by repeating the parameter.
      for (const each of Array.isArray(value) ? value : [value]) {
        if (each !== undefined) query.append(name, String(each))
      }
    }
    const text = query.toString()
    const base = this.#options.service.replace(/\/+$/, '')
    return `${base}/xrpc/${nsid}${text === '' ? '' : `?${text}`}`
  }
}

function timedOut(): DOMException {
  return new DOMException('The response did not begin in time.', 'TimeoutError')
}

/** `Retry-After` (RFC 9110 §10.2.3) in milliseconds from now, at most an hour. */
function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const wait = /^\d+$/.test(value) ? 1000 * Number(value) : Date.parse(value) - Date.now()
  return wait > 0 ? Math.min(wait, MAX_WAIT_MS) : undefined
}

/** Throws if the body is no JSON object: then something on the way has answered, such as a hotspot. */
function toAnswer(body: Bytes): JsonObject {
  const answer = JSON.parse(fromUtf8(body)) as Json
  if (isObject(answer)) return answer
  throw new TypeError('The answer is no JSON object.')
}

/** Returns an empty object for an error page of something on the way, such as a proxy. */
function toRefusal(body: Bytes): JsonObject {
  try {
    return toAnswer(body)
  } catch {
    return {}
  }
}
