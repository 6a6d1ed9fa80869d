import { codeOf } from '../platform/errors.ts'
import { plainAddress } from '../platform/networks.ts'
import type { Peer } from './runtime.ts'

export function peerOf(address: string | undefined): Peer {
  return { address: plainAddress(address ?? '') }
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
  const code = codeOf(cause)
  const why = (code && WHY[code]) ?? code ?? String(cause)
  return new Error(`Cannot listen on ${host}:${port}: ${why}`, { cause })
}
