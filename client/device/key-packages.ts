import { generateKeyPackageWithKey, type KeyPackage, type PrivateKeyPackage } from 'ts-mls'
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js'
import { asBytes, type Bytes, fromBase64, fromUtf8, toBase64, toHex, utf8 } from '../bytes.ts'
import type { PublishedKeyPackage } from '../delivery/delivery-service.ts'
import { decodeKeyPackage, encodeKeyPackage } from '../mls/codec.ts'
import { capabilities, credentialOf } from '../mls/credential.ts'
import { LAST_RESORT } from '../mls/extensions.ts'
import { type SuiteName, suite } from '../mls/suites.ts'
import type { Change, Store } from '../stores/store.ts'
import type { DeviceIdentity } from './identity.ts'

const DAY = 24 * 3600
/** The lifetime of a package in seconds: less than the 90 days that the service allows. */
const LIFETIME = 84 * DAY
/** How far another device's clock may be behind, in seconds. */
const SKEW = 3600
/** Seconds to keep private keys after their package expires: a Welcome may still be on its way. */
const GRACE = 30 * DAY

/** A key package with its private keys, as the store keeps it. */
export interface OwnKeyPackage {
  readonly ref: string
  readonly suite: SuiteName
  readonly lastResort: boolean
  /** Seconds since 1970. */
  readonly notAfter: number
  readonly publicPackage: KeyPackage
  readonly privatePackage: PrivateKeyPackage
}

interface Stored {
  readonly suite: SuiteName
  readonly lastResort: boolean
  readonly notAfter: number
  readonly keyPackage: string
  readonly initKey: string
  readonly leafKey: string
}

/** Creates a key package (RFC 9420 §10) of this device; `now` in milliseconds. */
export async function createKeyPackage(
  identity: DeviceIdentity,
  suiteName: SuiteName,
  now: number,
  lastResort = false,
): Promise<OwnKeyPackage> {
  const cs = await suite(suiteName)
  const seconds = Math.floor(now / 1000)
  const notAfter = seconds + LIFETIME
  const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
    credentialOf(identity.did),
    capabilities(),
    { notBefore: BigInt(seconds - SKEW), notAfter: BigInt(notAfter) },
    lastResort ? [{ extensionType: LAST_RESORT, extensionData: new Uint8Array() }] : [],
    { signKey: identity.signKey, publicKey: identity.publicKey },
    cs,
    [identity.endorsement],
  )
  const ref = toHex(await makeKeyPackageRef(publicPackage, cs.hash))
  return { ref, suite: suiteName, lastResort, notAfter, publicPackage, privatePackage }
}

export function toPublished(own: OwnKeyPackage): PublishedKeyPackage {
  return {
    suite: own.suite,
    keyPackage: encodeKeyPackage(own.publicPackage),
    expires: own.notAfter * 1000,
    lastResort: own.lastResort,
  }
}

const PREFIX = 'key-package/'

export function keepKeyPackage(own: OwnKeyPackage): Change {
  const stored: Stored = {
    suite: own.suite,
    lastResort: own.lastResort,
    notAfter: own.notAfter,
    keyPackage: toBase64(encodeKeyPackage(own.publicPackage)),
    initKey: toBase64(own.privatePackage.initPrivateKey),
    leafKey: toBase64(own.privatePackage.hpkePrivateKey),
  }
  return [PREFIX + own.ref, utf8(JSON.stringify(stored))]
}

/** Deletes the private keys of a used package; those of a last resort are kept until it expires. */
export function spendKeyPackage(own: OwnKeyPackage): Change[] {
  return own.lastResort ? [] : [forgetKeyPackage(own)]
}

/** Deletes a package for which no Welcome can arrive. */
export function forgetKeyPackage(own: OwnKeyPackage): Change {
  return [PREFIX + own.ref, undefined]
}

export async function findKeyPackage(
  store: Store,
  identity: DeviceIdentity,
  ref: string,
): Promise<OwnKeyPackage | undefined> {
  const value = await store.read(PREFIX + ref)
  return value && open(identity, ref, value)
}

export async function listKeyPackages(
  store: Store,
  identity: DeviceIdentity,
): Promise<OwnKeyPackage[]> {
  const keys = await store.keys(PREFIX)
  const values = await Promise.all(keys.map((key) => store.read(key)))
  return keys.flatMap((key, index) => {
    const value = values[index]
    return value ? [open(identity, key.slice(PREFIX.length), value)] : []
  })
}

/** Whether no Welcome made with the package can arrive any more; `now` in milliseconds. */
export function isOutlived(own: OwnKeyPackage, now: number): boolean {
  return own.notAfter + GRACE < now / 1000
}

function open(identity: DeviceIdentity, ref: string, value: Bytes): OwnKeyPackage {
  const stored = JSON.parse(fromUtf8(value)) as Stored
  return {
    ref,
    suite: stored.suite,
    lastResort: stored.lastResort,
    notAfter: stored.notAfter,
    publicPackage: decodeKeyPackage(fromBase64(stored.keyPackage)),
    privatePackage: {
      initPrivateKey: fromBase64(stored.initKey),
      hpkePrivateKey: fromBase64(stored.leafKey),
      signaturePrivateKey: asBytes(identity.signKey),
    },
  }
}
