import type { Bytes } from '../bytes.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export type JsonObject = { [name: string]: Json }
export type Params = Readonly<Record<string, string | number | readonly string[] | undefined>>

/**
 * How requests reach the delivery service: XRPC requests and an event stream. An error response is thrown
 * as a `ServiceError`; after any other error it is unknown whether the request arrived.
 */
export interface Transport {
  query(nsid: string, params: Params): Promise<JsonObject>
  procedure(nsid: string, body: JsonObject): Promise<JsonObject>
  upload(nsid: string, params: Params, content: Bytes): Promise<JsonObject>
  download(nsid: string, params: Params): Promise<Bytes>
  /**
   * Yields events until the signal aborts or the server ends the stream. `opened` is called once the
   * server has accepted the subscription: everything that happens afterwards is in the stream.
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
