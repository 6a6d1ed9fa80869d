/** What a negotiate request asks for (SignalR TransportProtocols, "POST [endpoint-base]/negotiate"). */
export interface NegotiateQuery {
  /** Version 1 has a connection token besides the connection id. */
  readonly version: 0 | 1
  readonly statefulReconnect: boolean
}

export function negotiateQueryOf(request: Request): NegotiateQuery {
  const query = new URL(request.url).searchParams
  const version = Number(query.get('negotiateVersion') ?? 0) >= 1 ? 1 : 0
  const statefulReconnect = version === 1 && query.get('useStatefulReconnect') === 'true'
  return { version, statefulReconnect }
}

export interface Negotiated {
  readonly connectionId: string
  readonly connectionToken: string
  readonly statefulReconnect: boolean
}

/**
 * The response to a negotiate request. Nothing is stored unless it offers stateful reconnect: clients may
 * skip negotiation, so the access token alone opens a connection.
 */
export function negotiation(query: NegotiateQuery, negotiated: Negotiated): object {
  const { connectionId, connectionToken, statefulReconnect } = negotiated
  const version = query.version === 1 ? { negotiateVersion: 1, connectionToken } : {}
  return {
    negotiateVersion: 0,
    ...version,
    connectionId,
    availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }],
    // Official clients reject it if they did not ask for it, so the field is omitted.
    ...(statefulReconnect ? { useStatefulReconnect: true } : {}),
  }
}
