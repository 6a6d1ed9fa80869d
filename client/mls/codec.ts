import {
  decodeMlsMessage,
  encodeMlsMessage,
  type GroupInfo,
  type KeyPackage,
  type MLSMessage,
  type MlsPrivateMessage,
  type MlsPublicMessage,
  type PrivateMessage,
  type PublicMessage,
  type Welcome,
} from 'ts-mls'
import { asBytes, type Bytes } from '../bytes.ts'
import { MlsError } from '../errors.ts'

const VERSION = { version: 'mls10' } as const

/** Decodes an MLSMessage (RFC 9420 §6); throws `unreadable` if the bytes are not exactly one. */
export function decodeMessage(bytes: Uint8Array): MLSMessage {
  let decoded: [MLSMessage, number] | undefined
  try {
    decoded = decodeMlsMessage(bytes, 0)
  } catch (cause) {
    throw new MlsError('unreadable', 'These bytes are no MLS message.', { cause })
  }
  // The decoder stops at the end of the message, so trailing bytes would go unnoticed.
  if (decoded?.[1] !== bytes.length) {
    throw new MlsError('unreadable', 'These bytes are no MLS message.')
  }
  return decoded[0]
}

/** Decodes a log entry: a PublicMessage for commits and proposals, a PrivateMessage for content. */
export function decodeLogMessage(bytes: Uint8Array): MlsPrivateMessage | MlsPublicMessage {
  const message = decodeMessage(bytes)
  if (message.wireformat === 'mls_private_message' || message.wireformat === 'mls_public_message') {
    return message
  }
  throw new MlsError('unreadable', `A ${message.wireformat} does not belong into a log.`)
}

export function decodeWelcome(bytes: Uint8Array): Welcome {
  const message = decodeMessage(bytes)
  if (message.wireformat === 'mls_welcome') return message.welcome
  throw new MlsError('unreadable', `Expected a Welcome, not ${message.wireformat}.`)
}

export function decodeGroupInfo(bytes: Uint8Array): GroupInfo {
  const message = decodeMessage(bytes)
  if (message.wireformat === 'mls_group_info') return message.groupInfo
  throw new MlsError('unreadable', `Expected a GroupInfo, not ${message.wireformat}.`)
}

export function decodeKeyPackage(bytes: Uint8Array): KeyPackage {
  const message = decodeMessage(bytes)
  if (message.wireformat === 'mls_key_package') return message.keyPackage
  throw new MlsError('unreadable', `Expected a KeyPackage, not ${message.wireformat}.`)
}

export function encodeMessage(message: MLSMessage): Bytes {
  return asBytes(encodeMlsMessage(message))
}

export function encodePrivate(privateMessage: PrivateMessage): Bytes {
  return encodeMessage({ ...VERSION, wireformat: 'mls_private_message', privateMessage })
}

export function encodePublic(publicMessage: PublicMessage): Bytes {
  return encodeMessage({ ...VERSION, wireformat: 'mls_public_message', publicMessage })
}

export function encodeWelcome(welcome: Welcome): Bytes {
  return encodeMessage({ ...VERSION, wireformat: 'mls_welcome', welcome })
}

export function encodeGroupInfo(groupInfo: GroupInfo): Bytes {
  return encodeMessage({ ...VERSION, wireformat: 'mls_group_info', groupInfo })
}

export function encodeKeyPackage(keyPackage: KeyPackage): Bytes {
  return encodeMessage({ ...VERSION, wireformat: 'mls_key_package', keyPackage })
}
