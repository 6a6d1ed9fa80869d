import type { Tx } from '../../db/database.ts'

/** The provider's side of a sign-in: what its logout has to find, and ours has to send. */
export interface Sso {
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** The provider's own session (`sid`), if it sends one. */
  readonly idpSession?: string | undefined
  readonly idToken: string
  /** Role names from its claims; the role file decides at each call what they permit. */
  readonly roles: readonly string[]
}

/** The time of a sign-in whose real time is unknown: long ago, so that it never counts as recent. */
export const UNTOLD = 0

/** How and when a person proved who they are. */
export interface SignIn {
  /** Values of RFC 8176: `pwd`, `otp`, `hwk`, `user`, `mfa`; and `sso` for whatever a provider did. */
  readonly methods: readonly string[]
  /** Milliseconds; at a provider it may be a while ago, or `UNTOLD`. */
  readonly authenticatedAt: number
  /** Milliseconds; absent if no second factor was shown. */
  readonly secondFactorAt?: number | undefined
  readonly sso?: Sso | undefined
}

/** A sign-in from which a session is to be opened. */
export interface Proof extends SignIn {
  /** The device's name, given by the person or the app. */
  readonly deviceName?: string | null | undefined
  /** Runs first in the transaction: consumes the proof, or throws. */
  use?(tx: Tx): Promise<void>
  /** Details for the audit log, besides the user. */
  readonly details?: Readonly<Record<string, string>>
}
