import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { EmailTokenRow, UserRow } from '../../db/tables.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { insertEmailToken } from './store.ts'

const LINK_LIFETIME = 30 * MINUTE

const PATHS = {
  verify: '/verify-email',
  change: '/verify-email',
  reset: '/reset-password',
} as const satisfies Record<EmailTokenRow['purpose'], string>

/** Creates a single-use link under the server's public address, valid for 30 minutes. */
export async function makeLink(
  ctx: Pick<Ctx, 'clock' | 'config'>,
  tx: Tx,
  user: UserRow,
  purpose: EmailTokenRow['purpose'],
  newEmail: string | null = null,
): Promise<string> {
  const token = randomToken(32)
  const now = ctx.clock.now()
  await insertEmailToken(tx, {
    token_hash: sha256Hex(token),
    purpose,
    new_email: newEmail,
    tenant_id: user.tenant_id,
    user_id: user.id,
    created_at: toIso(now),
    expires_at: toIso(now + LINK_LIFETIME),
    used_at: null,
  })
  return `${ctx.config.publicUrl}${PATHS[purpose]}?token=${token}`
}
