import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors, type RefusalOptions } from '../../platform/errors.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { methodNotAllowed } from '../../policy/errors.ts'
import { findUserByLogin } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { forgetDevicesOfUser } from '../devices/access.ts'
import { endGrantsOfUser } from '../oauth/access.ts'
import { endSessions } from './end-sessions.ts'
import { sessionErrors } from './errors.ts'
import { openSession } from './open-session.ts'
import type { Login, RefreshToken, SessionId, TokenPair } from './schema.ts'
import { requireComplete } from './second-step.ts'
import { findRefreshToken } from './store.ts'

export { authenticateBrowser, findBrowserUser } from './browser-session.ts'
export { cleanUpSessions } from './clean-up.ts'
export { type Landing, land } from './landing.ts'
export { type OpenSession, openSessionsOf } from './list.ts'
export { openSession } from './open-session.ts'
export { requireComplete } from './second-step.ts'
export { type Proof, UNTOLD } from './sign-in.ts'
export { endSession, endSsoSessions, logoutHint } from './sign-out.ts'
export {
  type AppTarget,
  type FoundStep,
  type PendingSignIn,
  requireStep,
  useStep,
} from './steps.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'bus'>

/**
 * Starts a session by password. If the account has a second factor, throws
 * `mfa_required` with a challenge instead.
 */
export async function login(
  ctx: Needs & Pick<Ctx, 'passwords' | 'access'>,
  actor: Actor,
  input: Login,
): Promise<TokenPair> {
  const user = await checkPassword(ctx, actor, input)
  const signIn = { methods: ['pwd'], authenticatedAt: ctx.clock.now() }
  await requireComplete(ctx, user, signIn)
  return openSession(ctx, actor, user, { ...signIn, deviceName: input.deviceName })
}

/**
 * Returns the user with this name and password. An unknown name and a wrong password get
 * the same answer in the same time.
 */
export async function checkPassword(
  ctx: Needs & Pick<Ctx, 'passwords' | 'access'>,
  actor: Actor,
  input: Login,
): Promise<UserRow> {
  if (!ctx.access.rules().methods.has('password')) {
    await recordRefusedLogin(ctx, actor, undefined, 'method_not_allowed')
    throw methodNotAllowed('password')
  }
  const user = await findUserByLogin(ctx.db.read, actor.tenantId, input.usernameOrEmail)
  const right = await ctx.passwords.verify(input.password, user?.password_hash)
  if (!user || !right) {
    await recordRefusedLogin(ctx, actor, user, user ? 'wrong_password' : 'unknown_account')
    throw new AppError(sessionErrors.invalidCredentials)
  }
  if (user.status !== 'Active') {
    throw accountNotActive(user.status, {
      audit: { reason: 'account_not_active', targetType: 'user', targetId: user.id },
    })
  }
  return user
}

/** The refusal of a sign-in to an inactive account; it tells the person what they are waiting for. */
export function accountNotActive(status: UserRow['status'], options?: RefusalOptions): AppError {
  const definition =
    status === 'PendingEmail'
      ? sessionErrors.emailNotConfirmed
      : status === 'PendingAdmin'
        ? sessionErrors.notApproved
        : sessionErrors.accountNotActive
  return new AppError(definition, { status }, options)
}

async function recordRefusedLogin(
  ctx: Needs,
  actor: Actor,
  user: UserRow | undefined,
  reason: string,
): Promise<void> {
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'session.refused',
      outcome: 'deny',
      ...(user ? { target: { type: 'user', id: user.id } } : {}),
      details: { reason },
    }),
  )
}

/** Ends the session of a refresh token and its connections; silently ignores unknown tokens. */
export async function logout(ctx: Needs, actor: Actor, input: RefreshToken): Promise<void> {
  await ctx.db.transaction(async (tx) => {
    const token = await findRefreshToken(tx, sha256Hex(input.refreshToken))
    // Rotated tokens work too: a client that lost the answer to a refresh has no newer one.
    if (!token) return
    const one = { kind: 'one', userId: token.user_id, id: token.session_id } as const
    const ended = await endSessions(ctx, tx, one, 'logout', 'signed_out')
    if (ended.length === 0) return
    await recordAudit(ctx, tx, actor, {
      type: 'session.ended',
      target: { type: 'session', id: token.session_id },
      details: { userId: token.user_id },
    })
  })
}

export async function revokeSession(ctx: Needs, actor: Actor, input: SessionId): Promise<void> {
  const { userId } = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const one = { kind: 'one', userId, id: input.id } as const
    const ended = await endSessions(ctx, tx, one, 'revoked', 'session_revoked')
    if (ended.length === 0) throw new AppError(commonErrors.notFound)
    await recordAudit(ctx, tx, actor, {
      type: 'session.revoked',
      target: { type: 'session', id: input.id },
    })
  })
}

/** Signs every other device out; the calling one stays. */
export async function revokeOtherSessions(ctx: Needs, actor: Actor): Promise<void> {
  const { userId, sessionId } = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const others = { kind: 'others', userId, exceptId: sessionId ?? '' } as const
    const ended = await endSessions(ctx, tx, others, 'revoked', 'session_revoked')
    await recordAudit(ctx, tx, actor, {
      type: 'session.revoked',
      target: { type: 'user', id: userId },
      details: { sessionsEnded: ended.length },
    })
  })
}

/** Ends every session and every connection of all users, in the caller's transaction. */
export async function endEverySession(
  ctx: Pick<Ctx, 'clock' | 'bus'>,
  tx: Tx,
  reason: string,
): Promise<number> {
  return (await endSessions(ctx, tx, { kind: 'everybody' }, reason)).length
}

/**
 * Ends every session of a user in the caller's transaction, with the pushes to their devices and their
 * grants to AI clients; closes every connection once it is durable.
 */
export async function endAllSessions(
  ctx: Pick<Ctx, 'clock' | 'bus'>,
  tx: Tx,
  userId: string,
  reason: string,
): Promise<number> {
  const ended = await endSessions(ctx, tx, { kind: 'all', userId }, reason)
  await forgetDevicesOfUser(tx, userId)
  await endGrantsOfUser(tx, userId, reason, toIso(ctx.clock.now()))
  return ended.length
}
