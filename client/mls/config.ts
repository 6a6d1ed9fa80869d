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

/** Seconds in the longest life of a key package: 90 days. */
export const LONGEST_LIFETIME = 90 * 24 * 3600

export const clientConfig: ClientConfig = {
  keyRetentionConfig: {
    // A message may overtake this many others of its sender …
    retainKeysForGenerations: 100,
    // … and be this many commits late, which is more than the server lets pass.
    retainKeysForEpochs: 8,
    // A sender's lost messages that a receiver steps over at most.
    maximumForwardRatchetSteps: 2000,
  },
  // Checked when a member is added; a leaf of long ago stays a member.
  lifetimeConfig: {
    maximumTotalLifetime: BigInt(LONGEST_LIFETIME),
    validateLifetimeOnReceive: false,
  },
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: { kind: 'alwaysPad', paddingLength: 0 },
  authService: {
    // The server binds DID and key when a key package is published; people compare safety numbers.
    async validateCredential(credential) {
      return didOf({ credential })?.startsWith('did:') ?? false
    },
  },
}

export function encodeState(state: ClientState): Bytes {
  return asBytes(encodeGroupState(state))
}

/** Throws `unreadable` for bytes that are not a state, the whole of them. */
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
