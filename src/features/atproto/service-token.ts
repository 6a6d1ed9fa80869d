import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import { insertNonce } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'config' | 'dids'>

/** The longest lifetime of a token, and the allowed clock skew. */
const MAX_SECONDS = 300
const SKEW_SECONDS = 30

const Header = z.object({
  alg: z.enum(['ES256', 'ES256K', 'HS256']),
  // Access, refresh and DPoP proof tokens are not service tokens (ATProto inter-service auth).
  typ: z
    .string()
    .refine((typ) => !/^(at|refresh|dpop)\+jwt$/i.test(typ))
    .optional(),
})

const Claims = z.object({
  iss: z
    .string()
    .max(2048)
    .regex(/^did:[a-z]+:[A-Za-z0-9._:%-]+$/),
  aud: z.string(),
  exp: z.number(),
  iat: z.number().optional(),
  nbf: z.number().optional(),
  sub: z.string().optional(),
  lxm: z.string().optional(),
  jti: z.string().min(1).max(200).optional(),
})
type Claims = z.output<typeof Claims>

interface ServiceToken {
  readonly alg: z.output<typeof Header>['alg']
  readonly claims: Claims
  /** The bytes that the signature covers. */
  readonly signed: Buffer
  readonly signature: Buffer
}

/** Parses a service token without verifying it; undefined if the text does not have that form. */
export function readServiceToken(text: string): ServiceToken | undefined {
  const [header = '', claims = '', signature = '', ...more] = text.split('.')
  if (more.length > 0 || text.length > 8192) return undefined
  try {
    const { alg } = Header.parse(JSON.parse(Buffer.from(header, 'base64url').toString()))
    return {
      alg,
      claims: Claims.parse(JSON.parse(Buffer.from(claims, 'base64url').toString())),
      signed: Buffer.from(`${header}.${claims}`),
      signature: Buffer.from(signature, 'base64url'),
    }
  } catch {
    return undefined
  }
}

/**
 * Returns the DID that issued the token for a call of this method (ATProto inter-service authentication);
 * throws `unauthorized` if it is invalid. A `sub` other than the issuer is refused. With `enforceJti`, a
 * token can be used only once.
 */
export async function verifyServiceToken(
  ctx: Needs,
  tenantId: string,
  token: ServiceToken,
  nsid: string,
): Promise<string> {
  const { claims } = token
  const refusal = refuseClaims(ctx, claims, nsid)
  if (refusal) throw refused(refusal)
  if (!(await isSigned(ctx, token))) throw refused('signature')
  if (ctx.config.atproto.enforceJti) await useUp(ctx, tenantId, claims)
  return claims.iss
}

function refused(reason: string): AppError {
  return new AppError(commonErrors.unauthorized, {}, { audit: { reason } })
}

/** Why the claims are not acceptable, if so. Needs no network access, so it runs before the key lookup. */
function refuseClaims({ config, clock }: Needs, claims: Claims, nsid: string): string | undefined {
  const { serviceDid, enforceLxm, enforceJti } = config.atproto
  const now = clock.now() / 1000
  const { iss, aud, exp, sub } = claims
  const iat = claims.iat ?? now
  if (aud !== serviceDid) return 'audience'
  if (sub !== undefined && sub !== iss) return 'subject'
  if (exp <= now) return 'expired'
  if (iat > now + SKEW_SECONDS || (claims.nbf ?? 0) > now + SKEW_SECONDS) return 'not yet valid'
  if (exp - iat > MAX_SECONDS || exp - now > MAX_SECONDS + SKEW_SECONDS) return 'lifetime'
  if (enforceLxm && claims.lxm !== nsid) return 'method'
  if (enforceJti && claims.jti === undefined) return 'without jti'
  return undefined
}

async function isSigned(ctx: Needs, token: ServiceToken): Promise<boolean> {
  if (token.alg === 'HS256') return isSignedForDevelopment(ctx, token)
  const { iss } = token.claims
  const key = await ctx.dids.signingKey(iss)
  if (key !== undefined && (await fits(key, token))) return true
  // The key may have been rotated since it was looked up.
  const newKey = await ctx.dids.signingKey(iss, true)
  return newKey !== undefined && newKey !== key && fits(newKey, token)
}

async function fits(key: string, { alg, signed, signature }: ServiceToken): Promise<boolean> {
  const { verifySignature } = await import('@atproto/crypto')
  // The library accepts only compact low-S signatures, and throws for a key of the other curve.
  return Promise.resolve()
    .then(() => verifySignature(key, signed, signature, { jwtAlg: alg }))
    .catch(() => false)
}

function isSignedForDevelopment({ config }: Needs, { signed, signature }: ServiceToken): boolean {
  const secret = config.secrets.devTokenSecret
  if (!config.atproto.devTokens || secret === undefined) return false
  const expected = createHmac('sha256', secret).update(signed).digest()
  return expected.length === signature.length && timingSafeEqual(expected, signature)
}

/** Remembers the token until it can no longer be valid; throws `unauthorized` if it was used before. */
async function useUp(ctx: Needs, tenantId: string, { iss, jti, exp }: Claims): Promise<void> {
  const least = ctx.clock.now() + ctx.config.atproto.jtiTtlSeconds * 1000
  const row = {
    id: sha256Hex(`${iss} ${jti}`),
    tenant_id: tenantId,
    expires_at: toIso(Math.max(least, (exp + SKEW_SECONDS) * 1000)),
  }
  if (!(await ctx.db.transaction((tx) => insertNonce(tx, row)))) throw refused('replayed')
}
