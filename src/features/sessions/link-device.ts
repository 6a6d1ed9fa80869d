import type { Ctx } from '../../context.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { sessionErrors } from './errors.ts'
import { openSession } from './open-session.ts'
import type { DeviceLink, RedeemDeviceLink, TokenPair } from './schema.ts'
import { UNTOLD } from './sign-in.ts'
import { findDeviceLink, insertDeviceLink, useDeviceLink } from './store.ts'

const LIFETIME = 2 * MINUTE
/** 16 random bytes: 22 characters, short enough for a QR code and too random to guess. */
const CODE_BYTES = 16

/** Creates a single-use code with which another device can sign in as the caller within two minutes. */
export async function linkDevice(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'config'>,
  actor: Actor,
): Promise<DeviceLink> {
  const { tenantId, userId, sessionId } = requireUser(actor)
  // The code ends with the session that made it; a token that was not issued by a sign-in has no session.
  if (!sessionId) {
    throw new AppError(commonErrors.forbidden, {}, { audit: { reason: 'no_session' } })
  }
  const code = randomToken(CODE_BYTES)
  const now = ctx.clock.now()
  const expiresAt = toIso(now + LIFETIME)
  await ctx.db.transaction(async (tx) => {
    await insertDeviceLink(tx, {
      code_hash: sha256Hex(code),
      tenant_id: tenantId,
      user_id: userId,
      session_id: sessionId,
      created_at: toIso(now),
      expires_at: expiresAt,
      used_at: null,
    })
    await recordAudit(ctx, tx, actor, {
      type: 'session.link_made',
      target: { type: 'session', id: sessionId },
    })
  })
  return { code, url: `${ctx.config.publicUrl}/link-device?code=${code}`, expiresAt }
}

/** Signs the calling device in as the user who made the code. */
export async function redeemDeviceLink(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'bus'>,
  actor: Actor,
  input: RedeemDeviceLink,
): Promise<TokenPair> {
  const codeHash = sha256Hex(input.code)
  const now = toIso(ctx.clock.now())
  const link = await findDeviceLink(ctx.db.read, codeHash, now)
  const user = link && (await findAccountById(ctx.db.read, link.tenant_id, link.user_id))
  if (!user) throw new AppError(sessionErrors.invalidOrExpiredCode)
  const { methods, authenticated_at, second_factor_at } = link
  return openSession(ctx, actor, user, {
    // The new session inherits the authentication methods and times of the session that vouches for it.
    methods: methods?.split(' ') ?? [],
    authenticatedAt: authenticated_at === null ? UNTOLD : Date.parse(authenticated_at),
    secondFactorAt: second_factor_at === null ? undefined : Date.parse(second_factor_at),
    async use(tx) {
      // Checked again inside the transaction: of two devices with one code, the second is refused.
      if (!(await useDeviceLink(tx, codeHash, now))) {
        throw new AppError(sessionErrors.invalidOrExpiredCode)
      }
    },
    details: { linkedBySession: link.session_id },
    deviceName: input.deviceName,
  })
}
