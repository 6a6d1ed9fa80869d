import type { Ctx } from '../../../context.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser } from '../../../policy/actor.ts'
import { findAccountById } from '../../accounts/access.ts'
import { admitByInvitation } from '../../atproto/service.ts'
import { recordAudit } from '../../audit/service.ts'
import { sendFriendRequest } from '../../friends/service.ts'
import { mlsErrors } from '../errors.ts'
import { deleteOptOut, insertOptOut } from '../store/opt-outs.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'bus'>

interface OptIn {
  readonly invitationToken?: string
  readonly friendKey?: string
}

interface OptedIn {
  readonly optedIn: boolean
  readonly optedInAt: string
  readonly status: 'active' | 'pending'
  readonly friendKey?: string
}

/**
 * Opts the caller in to encrypted conversations, which is the default. A person of another network
 * (`stranger`, a verified DID) gets an account by an invitation. A friend key sends its owner a friend
 * request, which such accounts cannot do in any other way.
 */
export async function optIn(
  ctx: Needs,
  actor: Actor,
  input: OptIn,
  stranger: string | undefined,
): Promise<OptedIn> {
  if (stranger !== undefined) {
    if (input.invitationToken === undefined) throw new AppError(mlsErrors.notAdmitted)
    const user = await admitByInvitation(ctx, actor, stranger, input.invitationToken)
    const { created_at: optedInAt, friend_key: friendKey } = user
    return { optedIn: true, optedInAt, status: 'pending', friendKey }
  }
  const me = requireUser(actor)
  const now = toIso(ctx.clock.now())
  await ctx.db.transaction(async (tx) => {
    await deleteOptOut(tx, me.userId)
    await recordAudit(ctx, tx, actor, { type: 'mls.opted_in' })
  })
  if (input.friendKey !== undefined) await befriend(ctx, actor, input.friendKey)
  const account = await findAccountById(ctx.db.read, me.tenantId, me.userId)
  return {
    ...{ optedIn: true, optedInAt: now, status: 'active' },
    ...(account ? { friendKey: account.friend_key } : {}),
  }
}

/** Sends a friend request; one that is pending or already accepted is not an error. */
async function befriend(ctx: Needs, actor: Actor, friendKey: string): Promise<void> {
  await sendFriendRequest(ctx, actor, { friendKey }).catch((error: unknown) => {
    const code = error instanceof AppError ? error.code : undefined
    if (code === 'already_friends' || code === 'request_already_pending') return
    if (code === undefined) throw error
    throw new AppError(mlsErrors.friendNotFound, {}, { cause: error })
  })
}

/** Opts the caller out: their key packages are no longer handed out, and nobody can add them. */
export async function optOut(ctx: Needs, actor: Actor): Promise<{ success: boolean }> {
  const me = requireUser(actor)
  const row = {
    user_id: me.userId,
    tenant_id: me.tenantId,
    created_at: toIso(ctx.clock.now()),
  }
  await ctx.db.transaction(async (tx) => {
    await insertOptOut(tx, row)
    await recordAudit(ctx, tx, actor, { type: 'mls.opted_out' })
  })
  return { success: true }
}
