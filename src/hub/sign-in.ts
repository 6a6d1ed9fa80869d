import { bearerToken } from '../policy/bearer-token.ts'

/** The access token of a negotiate or upgrade request; browsers set no headers on the latter. */
export function tokenOf(request: Request): string | undefined {
  return (
    bearerToken(request.headers) ??
    new URL(request.url).searchParams.get('access_token') ??
    undefined
  )
}

/**
 * The answer to a negotiate request (SignalR TransportProtocols, "POST [endpoint-base]/negotiate").
 * Nothing is kept of it: a client may skip negotiation, so the token alone opens a connection.
 */
export function negotiation(request: Request, connectionId: string, token: string): object {
  const asked = Number(new URL(request.url).searchParams.get('negotiateVersion') ?? 0)
  const version = asked >= 1 ? { negotiateVersion: 1, connectionToken: token } : {}
  return {
    negotiateVersion: 0,
    ...version,
    connectionId,
    availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }],
  }
}
