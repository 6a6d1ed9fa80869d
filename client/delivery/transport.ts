import type { Bytes } from '../bytes.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export type JsonObject = { [name: string]: Json }
export type Params = Readonly<Record<string, string | number | readonly string[] | undefined>>

/**
 * How requests reach the delivery service: XRPC's three kinds and its event stream. What the service
 * refuses is thrown as a `ServiceError`; anything else means that nobody knows whether it arrived.
 */
export interface Transport {
  query(nsid: string, params: Params): Promise<JsonObject>
  procedure(nsid: string, body: JsonObject): Promise<JsonObject>
  upload(nsid: string, params: Params, content: Bytes): Promise<JsonObject>
  download(nsid: string, params: Params): Promise<Bytes>
  /**
   * Events as they happen, until the signal or the server ends them. `opened` is called once the
   * server listens: whatever happens from then on is in the stream.
   */
  events(
    nsid: string,
    params: Params,
    signal: AbortSignal,
    opened: () => void,
  ): AsyncIterable<StreamEvent>
}

export interface StreamEvent {
  readonly type: string
  readonly data: JsonObject
}
