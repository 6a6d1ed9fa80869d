/** The IP alone: a dual-stack listener spells IPv4 peers `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** Whether this is the opening handshake of a WebSocket (RFC 6455 §4.1) and no other upgrade. */
export function asksForWebSocket(upgrade: string | null | undefined): boolean {
  return upgrade?.toLowerCase() === 'websocket'
}

const NO_SUCH_NAME = 'the name does not resolve: use an address of this machine'

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use',
  ENOTFOUND: NO_SUCH_NAME,
  EAI_AGAIN: NO_SUCH_NAME,
  // Bun's code for the same.
  ENOTCONN: NO_SUCH_NAME,
}

/** Why a listening socket could not be opened, in one line for the administrator. */
export function listenError(host: string, port: number, cause: unknown): Error {
  const code = (cause as { code?: unknown } | null)?.code
  const why = WHY[String(code)] ?? String(code ?? cause)
  return new Error(`Cannot listen on ${host}:${port}: ${why}`, { cause })
}
