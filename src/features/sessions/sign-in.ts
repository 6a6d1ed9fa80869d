import type { Tx } from '../../db/database.ts'

/** Who vouched for somebody at another place: what a logout there has to find, and here has to tell. */
export interface Sso {
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** The provider's own session (`sid`), where it tells. */
  readonly idpSession?: string | undefined
  readonly idToken: string
  /** Names of roles that its claims gave; what they permit, the role file says at each call. */
  readonly roles: readonly string[]
}

/** A sign-in of which nothing says when it was: long ago, as far as anybody can tell. */
export const UNTOLD = 0

/** What is known of how a person proved who they are. */
export interface SignIn {
  /** Words of RFC 8176: `pwd`, `otp`, `hwk`, `user`, `mfa`, and `sso` for what a provider did. */
  readonly methods: readonly string[]
  /** Milliseconds; at a provider it may be a while ago, or `UNTOLD`. */
  readonly authenticatedAt: number
  /** Milliseconds; absent: no second factor was shown. */
  readonly secondFactorAt?: number | undefined
  readonly sso?: Sso | undefined
}

/** A sign-in that is to become a session. */
export interface Proof extends SignIn {
  /** What the person or the app calls the device. */
  readonly deviceName?: string | null | undefined
  /** Runs first in the transaction: uses the proof up, or throws. */
  use?(tx: Tx): Promise<void>
  /** For the audit, beside the user. */
  readonly details?: Readonly<Record<string, string>>
}
