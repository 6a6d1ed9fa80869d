import type { Tx } from '../../db/database.ts'
import { AppError } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { listIdentities } from '../oidc/access.ts'
import { oidcErrors } from '../oidc/errors.ts'
import { factorsOf } from './access.ts'

/**
 * Throws `last_sign_in_method` if the account is left with no password, identity or passkey. The caller has
 * locked the account, so that of two removals at once the second sees the first.
 */
export async function requireSignInMethod(
  tx: Tx,
  { userId, tenantId }: Pick<UserActor, 'userId' | 'tenantId'>,
): Promise<void> {
  const user = await findAccountById(tx, tenantId, userId)
  if (user?.password_hash) return
  const identities = await listIdentities(tx, userId)
  const factors = await factorsOf(tx, userId)
  if (identities.length > 0 || factors.includes('passkey')) return
  throw new AppError(oidcErrors.lastSignInMethod)
}
