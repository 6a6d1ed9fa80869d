import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { lockUser } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { requireSignInMethod } from '../mfa/service.ts'
import { applyRole } from './account.ts'
import { roleWithout } from './admission.ts'
import type { Identity, IdentityId } from './schema.ts'
import { deleteIdentity, listIdentities } from './store.ts'

/** The identities with which the caller can sign in. */
export async function getIdentities(ctx: Pick<Ctx, 'db'>, actor: Actor): Promise<Identity[]> {
  const { userId } = requireUser(actor)
  return (await listIdentities(ctx.db.read, userId)).map((row) => ({
    id: row.id,
    provider: row.provider,
    issuer: row.issuer,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  }))
}

/**
 * Removes an identity from the account, unless that leaves no way to sign in. A role that its claims granted
 * goes with it: no later sign-in could take it back.
 */
export async function unlinkIdentity(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'log' | 'bus'>,
  actor: Actor,
  input: IdentityId,
): Promise<void> {
  const me = requireUser(actor)
  const { userId, tenantId } = me
  await ctx.db.transaction(async (tx) => {
    const user = await lockUser(tx, tenantId, userId)
    const identity = await deleteIdentity(tx, userId, input.id)
    if (!identity || !user) throw new AppError(commonErrors.notFound)
    await requireSignInMethod(tx, me)
    await recordAudit(ctx, tx, actor, {
      type: 'identity.unlinked',
      target: { type: 'user', id: userId },
      details: { identityId: input.id },
    })
    await applyRole(ctx, tx, actor, user, roleWithout(user.role, identity.granted_role))
  })
}
