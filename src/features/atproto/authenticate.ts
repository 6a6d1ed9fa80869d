import type { Ctx } from '../../context.ts'
import type { UserRow } from '../../db/tables.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { Origin, UserActor } from '../../policy/actor.ts'
import { findOrAdmit } from './admission.ts'
import { atprotoErrors } from './errors.ts'
import { readServiceToken, verifyServiceToken } from './service-token.ts'

/**
 * Returns the issuer of a service token: an account, or a verified DID without one. Returns undefined if
 * the text is not a service token, so that other kinds of credentials can be tried.
 */
export async function authenticateServiceToken(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'dids' | 'admission'>,
  tenantId: string,
  text: string,
  call: { readonly nsid: string; readonly origin: Origin },
): Promise<{ actor: UserActor } | { stranger: string } | undefined> {
  const token = readServiceToken(text)
  if (!token) return undefined
  const did = await verifyServiceToken(ctx, tenantId, token, call.nsid)
  const user = await findOrAdmit(ctx, tenantId, did, call.origin)
  if (!user) return { stranger: did }
  return { actor: callerOf(user, call.origin) }
}

/** The account as an actor; throws `AccountPending` if it still needs approval. */
function callerOf(user: UserRow, origin: Origin): UserActor {
  if (user.status === 'PendingAdmin') throw new AppError(atprotoErrors.accountPending)
  if (user.status !== 'Active') throw new AppError(commonErrors.unauthorized)
  const { id: userId, tenant_id: tenantId, username, role } = user
  return { kind: 'user', tenantId, userId, username, role, credential: 'atproto', origin }
}
