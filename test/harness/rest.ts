import assert from 'node:assert/strict'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the answer.
  readonly body: any
}

/** Makes REST requests as one caller. */
export class Rest {
  #base: string
  #headers: Record<string, string>

  constructor(base: string, headers: Record<string, string> = {}) {
    this.#base = base
    this.#headers = headers
  }

  /** The same caller with additional headers. */
  with(headers: Record<string, string>): Rest {
    return new Rest(this.#base, { ...this.#headers, ...headers })
  }

  /** The Authorization header, or an empty string. */
  get authorization(): string {
    return this.#headers.authorization ?? ''
  }

  /** Sends requests to another base URL from now on, for example after a restart. */
  move(base: string): void {
    this.#base = base
  }

  /** Uses another caller's headers from now on, for example with a newer token. */
  become(other: Rest): void {
    this.#headers = other.#headers
  }

  get(path: string): Promise<Reply> {
    return this.send('GET', path)
  }

  post(path: string, body: unknown = {}): Promise<Reply> {
    return this.send('POST', path, JSON.stringify(body))
  }

  patch(path: string, body: unknown): Promise<Reply> {
    return this.send('PATCH', path, JSON.stringify(body))
  }

  put(path: string, body: unknown): Promise<Reply> {
    return this.send('PUT', path, JSON.stringify(body))
  }

  delete(path: string): Promise<Reply> {
    return this.send('DELETE', path)
  }

  /** Reads only the start of the response, since an event stream never ends. */
  async probe(path: string): Promise<Reply> {
    const stop = new AbortController()
    const response = await fetch(this.#base + path, { headers: this.#headers, signal: stop.signal })
    const isJson = response.headers.get('content-type')?.includes('json')
    const body = isJson ? await response.json() : undefined
    stop.abort()
    return { status: response.status, headers: response.headers, body }
  }

  /** Sends the body unchanged: text, bytes, or none. */
  async send(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
  ): Promise<Reply> {
    const response = await fetch(this.#base + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...this.#headers,
      },
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
    }
  }
}

/** Asserts a refusal: its status, its code and the common error format. */
export function assertRefused(reply: Reply, status: number, code: string): void {
  assert.equal(reply.body?.error, code, `${reply.status} ${JSON.stringify(reply.body)}`)
  assert.equal(reply.status, status)
  assert.equal(typeof reply.body.message, 'string')
  assert.equal(reply.body.requestId, reply.headers.get('x-request-id'))
}

/** Asserts success and returns the body. */
export function assertDone(reply: Reply, status = 200): Reply['body'] {
  assert.equal(reply.status, status, JSON.stringify(reply.body))
  return reply.body
}
