import type { Bytes } from '../bytes.ts'
import { ServiceError } from '../errors.ts'
import { readEventStream } from './event-stream.ts'
import type { JsonObject, Params, StreamEvent, Transport } from './transport.ts'

export interface HttpTransportOptions {
  /** The server's base URL, including its path if any: `https://chat.example.org`. */
  readonly service: string
  /**
   * Returns the bearer token for a call of that method: a Mimir access token, or an ATProto service token
   * with the method in `lxm`. Called for every request, so the token can be a fresh one.
   */
  readonly token: (nsid: string) => string | Promise<string>
  readonly fetch?: typeof fetch
  /** Milliseconds after which a request counts as lost; for an event stream, until its response begins. */
  readonly timeoutMs?: number
  /** Milliseconds without even a comment after which an event stream counts as lost. */
  readonly silenceMs?: number
}

const TIMEOUT_MS = 30_000
/** The service sends a comment every 20 seconds. */
const SILENCE_MS = 65_000
const MAX_WAIT_MS = 3_600_000
/** The status reported for an error event in a stream, which has no HTTP status of its own. */
const STREAM_ENDED = 400

/** XRPC over `fetch`: queries are GET, procedures POST with JSON (https://atproto.com/specs/xrpc). */
export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions

  constructor(options: HttpTransportOptions) {
    this.#options = options
  }

  async query(nsid: string, params: Params): Promise<JsonObject> {
    return (await this.#send('GET', nsid, params)).json() as Promise<JsonObject>
  }

  async procedure(nsid: string, body: JsonObject): Promise<JsonObject> {
    const text = JSON.stringify(body)
    const response = await this.#send('POST', nsid, {}, text, 'application/json')
    return readJson(response)
  }

  async upload(nsid: string, params: Params, content: Bytes): Promise<JsonObject> {
    const type = 'application/octet-stream'
    return readJson(await this.#send('POST', nsid, params, content, type))
  }

  async download(nsid: string, params: Params): Promise<Bytes> {
    const response = await this.#send('GET', nsid, params)
    return new Uint8Array(await response.arrayBuffer())
  }

  async *events(
    nsid: string,
    params: Params,
    signal: AbortSignal,
    opened: () => void,
  ): AsyncIterable<StreamEvent> {
    const accept = { accept: 'text/event-stream' }
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(timedOut()), this.#options.timeoutMs ?? TIMEOUT_MS)
    const either = AbortSignal.any([signal, late.signal])
    const request = this.#request('GET', nsid, params, either, accept)
    const response = await request.finally(() => clearTimeout(timer))
    opened()
    const { silenceMs = SILENCE_MS } = this.#options
    if (!response.body) return
    for await (const event of readEventStream(response.body, silenceMs)) {
      // The service sends an error event before it ends the stream.
      if (event.type === 'error') throw new ServiceError(STREAM_ENDED, event.data)
      yield event
    }
  }

  #send(method: string, nsid: string, params: Params, body?: string | Bytes, type?: string) {
    const signal = AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS)
    const headers = type === undefined ? {} : { 'content-type': type }
    return this.#request(method, nsid, params, signal, headers, body)
  }

  async #request(
    method: string,
    nsid: string,
    params: Params,
    signal: AbortSignal,
    headers: Record<string, string>,
    body?: string | Bytes,
  ): Promise<Response> {
    const send = this.#options.fetch ?? fetch
    const response = await send(this.#address(nsid, params), {
      method,
      signal,
      headers: { authorization: `Bearer ${await this.#options.token(nsid)}`, ...headers },
      ...(body === undefined ? {} : { body }),
    })
    if (response.ok) return response
    const { status, headers: answered } = response
    throw new ServiceError(status, await readJson(response), readRetryAfter(answered))
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
  return new DOMException('The event stream did not begin in time.', 'TimeoutError')
}

/** `Retry-After` (RFC 9110 §10.2.3) in milliseconds from now, at most an hour. */
function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const wait = /^\d+$/.test(value) ? 1000 * Number(value) : Date.parse(value) - Date.now()
  return wait > 0 ? Math.min(wait, MAX_WAIT_MS) : undefined
}

/** Returns an empty object for a body that is not JSON, such as a proxy's error page. */
async function readJson(response: Response): Promise<JsonObject> {
  try {
    return (await response.json()) as JsonObject
  } catch {
    return {}
  }
}
