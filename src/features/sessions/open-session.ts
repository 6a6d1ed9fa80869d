import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { SessionRow, UserRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { DAY, SECOND, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { seal } from '../../platform/secret-box.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { isAdminRole } from '../../policy/permissions.ts'
import { lockActive } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { signAccessToken } from './access-token.ts'
import { sessionErrors } from './errors.ts'
import { sessionStarted } from './events.ts'
import { namesOf } from './list.ts'
import type { TokenPair } from './schema.ts'
import type { Proof, Sso } from './sign-in.ts'
import { insertRefreshToken, insertSession } from './store.ts'
import { insertBrowserSession, insertSsoSession } from './store-sign-in.ts'

export const REFRESH_LIFETIME = 30 * DAY

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'bus'>

/** Starts a session of an active account on the calling device. */
export async function openSession(
  ctx: Needs,
  actor: Actor,
  user: UserRow,
  proof: Proof,
): Promise<TokenPair> {
  const now = ctx.clock.now()
  const sessionId = ctx.ids.next()
  const refreshToken = randomToken(32)
  const refreshExpiresAt = toIso(now + REFRESH_LIFETIME)
  const isAdmin = isAdminRole(user.role)
  const { id: userId, email, username } = user
  const access = await signAccessToken(ctx, { userId, email, username, isAdmin, sessionId })
  const opening = await openingOf(ctx, actor, user, proof, sessionId, refreshExpiresAt)
  await ctx.db.transaction(async (tx) => {
    await startSession(ctx, tx, actor, user, proof, opening)
    await insertRefreshToken(tx, {
      token_hash: sha256Hex(refreshToken),
      tenant_id: user.tenant_id,
      session_id: sessionId,
      created_at: toIso(now),
      expires_at: refreshExpiresAt,
      rotated_at: null,
      successor_hash: null,
    })
  })
  return {
    accessToken: access.token,
    accessExpiresAt: access.expiresAt,
    refreshToken,
    refreshExpiresAt,
    username,
    isAdmin,
  }
}

/** The value of a browser's session cookie, and when it expires. */
export interface BrowserToken {
  readonly token: string
  readonly expiresAt: string
}

/**
 * Starts a session whose credential is a cookie. The token is always new, so that nobody can know it in
 * advance (session fixation); only its hash is stored.
 */
export async function openBrowserSession(
  ctx: Needs,
  actor: Actor,
  user: UserRow,
  proof: Proof,
): Promise<BrowserToken> {
  const now = ctx.clock.now()
  const sessionId = ctx.ids.next()
  const token = randomToken(32)
  const expiresAt = toIso(now + ctx.config.browserSession.seconds * SECOND)
  const opening = await openingOf(ctx, actor, user, proof, sessionId, expiresAt)
  await ctx.db.transaction(async (tx) => {
    await startSession(ctx, tx, actor, user, proof, opening)
    await insertBrowserSession(tx, {
      token_hash: sha256Hex(token),
      tenant_id: user.tenant_id,
      session_id: sessionId,
      created_at: toIso(now),
    })
  })
  return { token, expiresAt }
}

/** A session's row, and the device name to announce. */
interface Opening {
  readonly session: SessionRow
  readonly name: string
}

/** Runs outside the transaction, which must wait for the database only: naming loads a library. */
async function openingOf(
  ctx: Needs,
  actor: Actor,
  user: UserRow,
  proof: Proof,
  id: string,
  expiresAt: string,
): Promise<Opening> {
  const now = toIso(ctx.clock.now())
  const { secondFactorAt } = proof
  const session: SessionRow = {
    id,
    tenant_id: user.tenant_id,
    user_id: user.id,
    ip: actor.origin.ip ?? null,
    user_agent: actor.origin.userAgent ?? null,
    name: proof.deviceName ?? null,
    created_at: now,
    last_used_at: now,
    expires_at: expiresAt,
    revoked_at: null,
    revoked_reason: null,
    methods: proof.methods.join(' '),
    authenticated_at: toIso(proof.authenticatedAt),
    second_factor_at: secondFactorAt === undefined ? null : toIso(secondFactorAt),
  }
  const [name = ''] = await namesOf([session])
  return { session, name }
}

async function startSession(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  user: UserRow,
  proof: Proof,
  { session, name }: Opening,
): Promise<void> {
  await proof.use?.(tx)
  // Hashing is slow: a change of the account meanwhile has ended its sessions, but not this new one.
  const unchanged = await lockActive(tx, user.id, user.password_hash)
  if (!unchanged) throw new AppError(sessionErrors.invalidCredentials)
  await insertSession(tx, session)
  if (proof.sso) await keepSso(ctx, tx, user, session.id, proof.sso)
  const started = { sessionId: session.id, name, createdAt: session.created_at }
  await appendEvents(ctx, tx, [sessionStarted(user.tenant_id, user.id, started)])
  await recordAudit(ctx, tx, actor, {
    type: 'session.started',
    target: { type: 'session', id: session.id },
    details: {
      userId: user.id,
      methods: proof.methods.join(' '),
      ...(proof.sso ? { provider: proof.sso.provider } : {}),
      ...proof.details,
    },
  })
}

async function keepSso(
  ctx: Needs,
  tx: Tx,
  user: UserRow,
  sessionId: string,
  sso: Sso,
): Promise<void> {
  const { provider, issuer, subject, idpSession, idToken, roles } = sso
  const sealed = seal(ctx.keyring.current('message'), idToken, `id-token:${sessionId}`)
  await insertSsoSession(tx, {
    session_id: sessionId,
    tenant_id: user.tenant_id,
    provider,
    issuer,
    subject,
    idp_session: idpSession ?? null,
    roles: JSON.stringify(roles),
    key_id: sealed.keyId,
    sealed: sealed.bytes,
  })
}
