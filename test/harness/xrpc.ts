import assert from 'node:assert/strict'
import type { Reply, Rest } from './rest.ts'

/** Calls XRPC methods as one caller. */
export class Xrpc {
  readonly rest: Rest
  constructor(rest: Rest) {
    this.rest = rest
  }

  get(
    name: string,
    params: Record<string, string | number | readonly string[]> = {},
  ): Promise<Reply> {
    const query = new URLSearchParams()
    for (const [key, value] of Object.entries(params)) {
      for (const one of Array.isArray(value) ? value : [value]) query.append(key, String(one))
    }
    return this.rest.get(`/xrpc/blue.catbird.mls.${name}?${query}`)
  }

  post(name: string, body: object = {}): Promise<Reply> {
    return this.rest.post(`/xrpc/blue.catbird.mls.${name}`, body)
  }
}

/** Asserts an XRPC refusal: its status and its error name. */
export function assertRefusal(reply: Reply, status: number, error: string): void {
  assert.equal(reply.body?.error, error, `${reply.status} ${JSON.stringify(reply.body)}`)
  assert.equal(reply.status, status)
  assert.equal(typeof reply.body.message, 'string')
}
