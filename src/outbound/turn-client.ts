import { lookup } from 'node:dns/promises'
import { reasonOf } from '../platform/errors.ts'
import {
  ATTRIBUTE,
  addressOf,
  decodeResponse,
  encodeRequest,
  errorOf,
  isSigned,
  longTermKey,
  METHOD,
  type StunMessage,
} from './stun-message.ts'
import { openWay, type StunTransport, type StunWay } from './stun-transport.ts'

/** A request to a server: a binding, or with credentials an allocation. */
export interface StunQuestion {
  readonly host: string
  readonly port: number
  readonly transport: StunTransport
  readonly credentials?: { readonly username: string; readonly credential: string }
}

export type StunFailure =
  | 'name_not_resolved'
  /** No server answers. */
  | 'unreachable'
  | 'tls_failed'
  /** What answers is not a TURN server. */
  | 'not_turn'
  | 'unauthorized'
  /** It gives allocations to anyone, without credentials. */
  | 'open_to_all'
  | 'refused'

export type StunAnswer =
  | {
      readonly ok: true
      readonly address: string
      /** This machine's address as the server sees it. */
      readonly seenAs: string
      /** The allocated address; undefined if none was requested. */
      readonly relay: string | undefined
    }
  | {
      readonly ok: false
      readonly failure: StunFailure
      /** What the system or the server said. */
      readonly detail: string
      readonly address: string | undefined
    }

const DEADLINE_MS = 5000
/** UDP, in the attribute's first byte (RFC 8656 §18.6). */
const RELAY_UDP = Buffer.from([17, 0, 0, 0])
const STALE_NONCE = 438

class StunRefusal extends Error {
  readonly failure: StunFailure
  constructor(failure: StunFailure, detail: string) {
    super(detail)
    this.failure = failure
  }
}

/**
 * Requests a binding, or with credentials an allocation, which it releases at once. Failures are returned,
 * not thrown. Takes at most five seconds once the name is resolved.
 */
export async function askServer(question: StunQuestion): Promise<StunAnswer> {
  const { host, port, transport, credentials } = question
  let address: string | undefined
  let way: StunWay | undefined
  try {
    address = (await lookup(host, { order: 'ipv4first' })).address
    way = await openWay({ address, name: host, port, transport }, DEADLINE_MS)
    const found = credentials ? await allocate(way, credentials) : await bind(way)
    return { ok: true, address, ...found }
  } catch (error) {
    const failure = failureOf(error, address, transport)
    return { ok: false, failure, detail: reasonOf(error), address }
  } finally {
    way?.close()
  }
}

async function bind(way: StunWay) {
  const { message } = await ask(way, METHOD.binding, [])
  return { seenAs: required(message, ATTRIBUTE.xorMappedAddress), relay: undefined }
}

/** Uses long-term credentials (RFC 8489 §9.2): the first request fetches realm and nonce. */
async function allocate(way: StunWay, credentials: { username: string; credential: string }) {
  const transport = [ATTRIBUTE.requestedTransport, RELAY_UDP] as const
  const first = await ask(way, METHOD.allocate, [transport])
  if (first.message.kind === 'success') throw new StunRefusal('open_to_all', 'no credentials asked')
  let challenge = first.message
  for (let tries = 0; ; tries++) {
    const { attributes, key } = authorize(challenge, credentials)
    const { message, bytes } = await ask(way, METHOD.allocate, [transport, ...attributes], key)
    if (message.kind === 'success') {
      if (!isSigned(bytes, key)) throw new StunRefusal('not_turn', 'the answer is not signed')
      const found = {
        seenAs: required(message, ATTRIBUTE.xorMappedAddress),
        relay: required(message, ATTRIBUTE.xorRelayedAddress),
      }
      await ask(way, METHOD.refresh, [[ATTRIBUTE.lifetime, Buffer.alloc(4)], ...attributes], key)
      return found
    }
    const { code, reason } = errorOf(message)
    if (code !== STALE_NONCE || tries > 0) {
      throw new StunRefusal(code === 401 ? 'unauthorized' : 'refused', `${code} ${reason}`)
    }
    challenge = message
  }
}

function authorize(challenge: StunMessage, credentials: { username: string; credential: string }) {
  const realm = challenge.attributes.get(ATTRIBUTE.realm)
  const nonce = challenge.attributes.get(ATTRIBUTE.nonce)
  if (!realm || !nonce) {
    const { code, reason } = errorOf(challenge)
    throw new StunRefusal('refused', `${code} ${reason}`)
  }
  const { username, credential } = credentials
  return {
    key: longTermKey(username, realm.toString(), credential),
    attributes: [
      [ATTRIBUTE.username, username],
      [ATTRIBUTE.realm, realm],
      [ATTRIBUTE.nonce, nonce],
    ] as const,
  }
}

async function ask(way: StunWay, ...request: Parameters<typeof encodeRequest>) {
  const { bytes: asked, transactionId } = encodeRequest(...request)
  const bytes = await way.ask(asked, transactionId)
  const message = decodeResponse(bytes)
  if (message?.method !== request[0]) throw new StunRefusal('not_turn', 'another method answered')
  return { message, bytes }
}

function required(message: StunMessage, attribute: number): string {
  const address = addressOf(message, attribute)
  if (address === undefined) throw new StunRefusal('not_turn', 'the answer has no address')
  return address
}

/** Classifies an error; rethrows it if it is not a failure of the network or the server. */
function failureOf(
  error: unknown,
  address: string | undefined,
  transport: StunTransport,
): StunFailure {
  if (error instanceof StunRefusal) return error.failure
  const { code = '' } = error as NodeJS.ErrnoException
  if (code === 'EBADMSG') return 'not_turn'
  // Network errors have errno names; certificate errors have names of OpenSSL and Node.
  if (/^E[A-Z_]+$/.test(code) && !/^(ERR_|EPROTO$)/.test(code)) {
    return address === undefined ? 'name_not_resolved' : 'unreachable'
  }
  if (transport === 'tls' && !/^(ERR_(?!TLS|SSL)|$)/.test(code)) return 'tls_failed'
  throw error
}
