import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { JwtIssuer } from '../../config/access.ts'
import type { Ctx } from '../../context.ts'
import { createGuardedFetch } from '../../outbound/guarded-fetch.ts'
import { AppError } from '../../platform/errors.ts'
import { rolesOfClaims } from '../../policy/access-control.ts'
import type { Origin, UserActor } from '../../policy/actor.ts'
import {
  accessErrors,
  invalidToken,
  secondFactorMissing,
  tokenExpired,
} from '../../policy/errors.ts'
import { brokenRequirement } from '../../policy/issuer-requirements.ts'
import { expandPermission } from '../../policy/permission-names.ts'
import type { Permission } from '../../policy/permissions.ts'
import { isMultiFactor, lacksFactor } from '../../policy/second-factor.ts'
import { findIdentityOwner } from '../oidc/access.ts'
import { createIssuerKeys, KeysUnavailable } from './key-set.ts'
import { findSubject } from './store.ts'

/** Asymmetric signatures only: no `none`, and no HMAC, which the verifier could also produce. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]
/** RFC 9068 §2.1, and what other issuers write. Tokens for other purposes have another type. */
const TYPES = new Set([undefined, 'jwt', 'at+jwt', 'application/at+jwt'])
const CLOCK_SKEW_SECONDS = 60
const MAX_CHARACTERS = 8192

type Needs = Pick<Ctx, 'db' | 'clock' | 'access' | 'config'>

export interface JwtBearers {
  /** Whether the token names a configured issuer. */
  claims(token: string): boolean
  authenticate(ctx: Needs, token: string, origin: Origin): Promise<UserActor>
}

/** Access tokens signed by another issuer (RFC 9068), for accounts linked to their subject. */
export function createJwtBearers(ctx: Pick<Ctx, 'config' | 'clock'>): JwtBearers {
  const fetch = createGuardedFetch(ctx.config.outboundAllow)
  const issuers = ctx.config.access.jwtIssuers.map((one) => ({
    ...one,
    keys: createIssuerKeys(one, fetch, ctx.clock),
  }))
  const find = (token: string) => {
    const name = issuers.length > 0 ? issuerOf(token) : undefined
    return issuers.find(({ issuer }) => issuer === name)
  }
  return {
    claims: (token) => find(token) !== undefined,
    async authenticate(needs, token, origin) {
      const found = find(token)
      if (!found) throw invalidToken({ reason: 'unknown_issuer' })
      const payload = await verify(needs, found, found.keys, token)
      const { issuer } = found
      const broken = brokenRequirement(found, payload)
      if (broken) throw notAdmitted(broken)
      const { sub: name = '' } = payload
      // Linked by the operator, or by signing in with the same provider in a browser.
      const subject =
        (await findSubject(needs.db.read, issuer, name)) ??
        (await findIdentityOwner(needs.db.read, issuer, name))
      if (subject?.status !== 'Active') {
        throw notAdmitted(subject ? 'subject_not_active' : 'unknown_subject')
      }
      const isMulti = isMultiFactor(payload, found.secondFactorAcr)
      if (lacksFactor(needs.config.mfa, subject.role, isMulti)) throw secondFactorMissing()
      const scopes = scopesOf(payload)
      return {
        kind: 'user',
        tenantId: subject.tenant_id,
        userId: subject.user_id,
        username: subject.username,
        role: subject.role,
        credential: 'jwt',
        claimedRoles: rolesOfClaims(needs.access.rules().roleTable, payload),
        ...(scopes ? { scopes } : {}),
        validUntil: Number(payload.exp) * 1000,
        origin,
      }
    },
  }
}

/** One message for every reason; the true one is only in the audit log. */
function notAdmitted(reason: string): AppError {
  return new AppError(accessErrors.notAdmitted, {}, { audit: { reason } })
}

function issuerOf(token: string): unknown {
  if (token.length > MAX_CHARACTERS) return undefined
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

async function verify(
  { clock }: Needs,
  jwt: JwtIssuer,
  keys: JWTVerifyGetKey,
  token: string,
): Promise<JWTPayload> {
  const now = clock.now()
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      algorithms: ALGORITHMS,
      issuer: jwt.issuer,
      audience: jwt.audience,
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(now),
      requiredClaims: ['sub', 'exp'],
    })
    if (!TYPES.has(protectedHeader.typ?.toLowerCase())) {
      throw new errors.JWTInvalid('a token for something else')
    }
    // Claims of an ID token that an access token does not have (OpenID Connect Core §2).
    if ('nonce' in payload || 'at_hash' in payload) throw new errors.JWTInvalid('an ID token')
    if (typeof payload.sub !== 'string' || payload.sub === '') throw new errors.JWTInvalid('no sub')
    if ((payload.iat ?? 0) > now / 1000 + CLOCK_SKEW_SECONDS) {
      throw new errors.JWTInvalid('made in the future')
    }
    return payload
  } catch (error) {
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): AppError {
  if (error instanceof KeysUnavailable) {
    return new AppError(accessErrors.idpUnavailable, {}, { cause: error })
  }
  if (error instanceof errors.JWTExpired) return tokenExpired({ reason: 'expired_jwt' })
  if (error instanceof errors.JOSEError) return invalidToken({ reason: `jwt: ${error.message}` })
  // The Web Cryptography API throws errors of its own if a key does not fit the algorithm.
  return invalidToken({ reason: 'jwt: not verifiable' })
}

/**
 * The permissions that the token names in `scope` (RFC 9068 §2.2.3) or `scp`, which then limit it; undefined
 * if none is ours: issuers that do not know this server use scopes of their own.
 */
function scopesOf({ scope, scp }: JWTPayload): ReadonlySet<Permission> | undefined {
  const named = scope ?? scp
  const names = typeof named === 'string' ? named.split(' ') : Array.isArray(named) ? named : []
  const known = names.map((name) => (typeof name === 'string' ? expandPermission(name) : undefined))
  if (known.every((permissions) => permissions === undefined)) return undefined
  return new Set(known.flatMap((permissions) => permissions ?? []))
}
