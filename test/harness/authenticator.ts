import {
  createHash,
  createSign,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { isoCBOR } from '@simplewebauthn/server/helpers'

/** Flags of authenticator data (WebAuthn level 3 §6.1). */
const PRESENT = 0x01
const VERIFIED = 0x04
const ATTESTED = 0x40

// biome-ignore lint/suspicious/noExplicitAny: the options are as the server gave them.
type Options = any

export interface AnswerChange {
  /** The origin of the requesting page, if not the expected one. */
  readonly origin?: string
  readonly rpId?: string
  /** Leaves out user verification (a PIN or a fingerprint). */
  readonly unverified?: boolean
  /** The signature counter to report instead of the next one. */
  readonly counter?: number
}

/** A software authenticator holding one passkey (ES256, no attestation). */
export class Authenticator {
  readonly #origin: string
  readonly #id = randomBytes(16)
  readonly #key: KeyObject
  readonly #public: { x: string; y: string }
  counter = 0

  constructor(origin: string) {
    this.#origin = origin
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = privateKey
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    this.#public = { x, y }
  }

  /** Responds to credential creation options. */
  create(options: Options, change: AnswerChange = {}) {
    const id = this.#id.toString('base64url')
    const length = Buffer.from([0, this.#id.length])
    const attested = Buffer.concat([Buffer.alloc(16), length, this.#id, this.#cosePublicKey()])
    const authData = this.#data(options.rp.id, ATTESTED, change, attested)
    const attestation = new Map<string, unknown>([
      ['fmt', 'none'],
      ['attStmt', new Map()],
      ['authData', new Uint8Array(authData)],
    ])
    return {
      id,
      rawId: id,
      type: 'public-key',
      response: {
        clientDataJSON: this.#clientData('webauthn.create', options.challenge, change),
        attestationObject: Buffer.from(isoCBOR.encode(attestation as never)).toString('base64url'),
        transports: ['internal'],
      },
    }
  }

  /** Responds to credential request options. */
  get(options: Options, change: AnswerChange = {}) {
    const id = this.#id.toString('base64url')
    this.counter = change.counter ?? this.counter + 1
    const authData = this.#data(options.rpId, 0, { ...change, counter: this.counter })
    const clientDataJSON = this.#clientData('webauthn.get', options.challenge, change)
    const clientHash = createHash('sha256')
      .update(Buffer.from(clientDataJSON, 'base64url'))
      .digest()
    const signature = createSign('SHA256').update(authData).update(clientHash).sign(this.#key)
    return {
      id,
      rawId: id,
      type: 'public-key',
      response: {
        clientDataJSON,
        authenticatorData: authData.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: null,
      },
    }
  }

  #clientData(type: string, challenge: string, { origin = this.#origin }: AnswerChange): string {
    const data = { type, challenge, origin, crossOrigin: false }
    return Buffer.from(JSON.stringify(data)).toString('base64url')
  }

  #data(rpId: string, flags: number, change: AnswerChange, attested = Buffer.alloc(0)): Buffer {
    const hash = createHash('sha256')
      .update(change.rpId ?? rpId)
      .digest()
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(change.counter ?? this.counter)
    const verified = change.unverified ? 0 : VERIFIED
    return Buffer.concat([hash, Buffer.from([flags | PRESENT | verified]), counter, attested])
  }

  /** RFC 9052 §7: key type EC2, ES256, P-256, and the point. */
  #cosePublicKey(): Buffer {
    const key = new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, new Uint8Array(Buffer.from(this.#public.x, 'base64url'))],
      [-3, new Uint8Array(Buffer.from(this.#public.y, 'base64url'))],
    ])
    return Buffer.from(isoCBOR.encode(key as never))
  }
}
