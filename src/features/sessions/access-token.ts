import { type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Ctx } from '../../context.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { parseId } from '../../platform/ids.ts'

const LIFETIME = 15 * MINUTE
const CLOCK_SKEW_SECONDS = 30

export interface TokenSubject {
  readonly userId: string
  readonly email: string | null
  readonly username: string
  readonly isAdmin: boolean
  readonly sessionId: string
}

/** Signs an access token (RFC 7519, HS256) that lives 15 minutes; `kid` names the signing key. */
export async function signAccessToken(
  ctx: Pick<Ctx, 'keyring' | 'config' | 'clock' | 'ids'>,
  subject: TokenSubject,
): Promise<{ token: string; expiresAt: string }> {
  const key = ctx.keyring.current('jwt')
  const issuedAt = Math.floor(ctx.clock.now() / 1000)
  const expiresAt = issuedAt + LIFETIME / 1000
  const token = await new SignJWT({
    email: subject.email ?? '',
    username: subject.username,
    sid: subject.sessionId,
    ...(subject.isAdmin ? { admin: 'true' } : {}),
    ...tenantClaim(ctx.config),
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: key.id })
    .setSubject(subject.userId)
    .setJti(ctx.ids.next())
    .setIssuer(ctx.config.jwt.issuer)
    .setAudience(ctx.config.jwt.audience)
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(key.key)
  return { token, expiresAt: toIso(expiresAt * 1000) }
}

/** The claim that identifies the bearer's tenant, where tenants are resolved from a claim. */
function tenantClaim({ tenancy, tenantId }: Ctx['config']): JWTPayload {
  if (tenancy?.source.kind !== 'jwt_claim') return {}
  const { path } = tenancy.source
  return path.reduceRight<unknown>((value, name) => ({ [name]: value }), tenantId) as JWTPayload
}

/**
 * Returns the token's user and session, or throws `unauthorized`. A token without a known
 * `kid` is tried with every key.
 */
export async function verifyAccessToken(
  ctx: Pick<Ctx, 'keyring' | 'config' | 'clock'>,
  token: string,
): Promise<{ userId: string; sessionId: string | undefined }> {
  for (const key of candidateKeys(ctx, token)) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['HS256'],
        issuer: ctx.config.jwt.issuer,
        audience: ctx.config.jwt.audience,
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(ctx.clock.now()),
        requiredClaims: ['sub', 'exp', 'jti'],
      })
      const userId = parseId(payload.sub)
      const sessionId = payload.sid === undefined ? undefined : parseId(payload.sid)
      if (userId && (payload.sid === undefined || sessionId)) return { userId, sessionId }
    } catch {
      // Signed with another key, or invalid: the answer is the same.
    }
  }
  throw new AppError(commonErrors.unauthorized)
}

function candidateKeys(ctx: Pick<Ctx, 'keyring'>, token: string): Uint8Array[] {
  const keys = ctx.keyring.all().filter((key) => key.purpose === 'jwt')
  const named = keys.filter((key) => key.id === keyIdOf(token))
  return (named.length > 0 ? named : keys).map((key) => key.key)
}

function keyIdOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
  } catch {
    return undefined
  }
}
