import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { EmailTokenRow, UserRow } from '../../db/tables.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { countOpenTokens, insertEmailToken } from './store.ts'

const LINK_LIFETIME = 30 * MINUTE
/** Open links per account and purpose: repeated requests cannot flood a mailbox. */
const MAX_OPEN_LINKS = 5

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

/**
 * Whether the account may be sent another link. Without an account the same query runs, so that the time
 * of the answer does not reveal whether there is one.
 */
export async function mayGetLink(
  ctx: Pick<Ctx, 'clock'>,
  tx: Tx,
  user: UserRow | undefined,
  purpose: EmailTokenRow['purpose'],
): Promise<boolean> {
  const open = await countOpenTokens(tx, user?.id ?? '', purpose, toIso(ctx.clock.now()))
  return user !== undefined && open < MAX_OPEN_LINKS
}
