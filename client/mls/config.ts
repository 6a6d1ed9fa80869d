import {
  type ClientConfig,
  type ClientState,
  decodeGroupState,
  defaultKeyPackageEqualityConfig,
  encodeGroupState,
} from 'ts-mls'
import { asBytes, type Bytes } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { didOf } from './credential.ts'

/** The longest lifetime of a key package in seconds: 90 days. */
export const MAX_LIFETIME = 90 * 24 * 3600

export const clientConfig: ClientConfig = {
  keyRetentionConfig: {
    // A message may overtake this many earlier ones of its sender …
    retainKeysForGenerations: 100,
    // … and arrive this many commits late, which is more than the server allows.
    retainKeysForEpochs: 8,
    // The most lost messages of a sender that a receiver skips.
    maximumForwardRatchetSteps: 2000,
  },
  // Lifetimes are checked only when a member is added: old leaves stay members.
  lifetimeConfig: {
    maximumTotalLifetime: BigInt(MAX_LIFETIME),
    validateLifetimeOnReceive: false,
  },
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: { kind: 'alwaysPad', paddingLength: 0 },
  authService: {
    // The server checks that DID and key belong together on publishing; people compare safety numbers.
    async validateCredential(credential) {
      return didOf({ credential })?.startsWith('did:') ?? false
    },
  },
}

export function encodeState(state: ClientState): Bytes {
  return asBytes(encodeGroupState(state))
}

/** Throws `unreadable` if the bytes are not exactly one state. */
export function decodeState(bytes: Bytes): ClientState {
  const [state, length] = tryDecode(bytes) ?? []
  if (!state || length !== bytes.length) {
    throw new MlsError('unreadable', 'A group’s state is damaged.')
  }
  return { ...state, clientConfig }
}

function tryDecode(bytes: Bytes) {
  try {
    return decodeGroupState(bytes, 0)
  } catch {
    return undefined
  }
}
