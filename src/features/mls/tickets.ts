import type { Ctx } from '../../context.ts'
import { SECOND, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { requireMember } from './access.ts'
import { mlsErrors } from './errors.ts'
import { deleteTicketsBefore, insertTicket, takeTicket } from './store-tickets.ts'

/** A ticket stands in a URL, so it is good once and not for long. */
const LIFE = 30 * SECOND

/** A ticket for the event stream, for clients that cannot send a header with a WebSocket. */
export async function getSubscriptionTicket(
  ctx: Pick<Ctx, 'db' | 'clock' | 'config'>,
  actor: Actor,
  input: { readonly convoId?: string },
): Promise<{ ticket: string; endpoint: string; expiresAt: string }> {
  const me = requireUser(actor)
  if (input.convoId !== undefined) await requireMember(ctx.db.read, me, input.convoId)
  const ticket = randomToken(32)
  const now = ctx.clock.now()
  const expiresAt = toIso(now + LIFE)
  await ctx.db.transaction(async (tx) => {
    await deleteTicketsBefore(tx, toIso(now))
    await insertTicket(tx, {
      hash: sha256Hex(ticket),
      tenant_id: me.tenantId,
      user_id: me.userId,
      session_id: me.sessionId ?? null,
      convo_id: input.convoId ?? null,
      expires_at: expiresAt,
    })
  })
  const base = ctx.config.publicUrl.replace(/^http/, 'ws')
  return { ticket, endpoint: `${base}/xrpc/blue.catbird.mls.subscribeConvoEvents`, expiresAt }
}

export interface Redeemed {
  readonly userId: string
  readonly tenantId: string
  readonly sessionId: string | null
}

/** Whose ticket it is; it is used up by that. `InvalidTicket` for any other, and for another conversation. */
export async function redeemTicket(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  ticket: string,
  convoId: string | null,
): Promise<Redeemed> {
  const row = await ctx.db.transaction((tx) => takeTicket(tx, sha256Hex(ticket)))
  const isGood = row !== undefined && row.expires_at > toIso(ctx.clock.now())
  if (!isGood || (row.convo_id !== null && row.convo_id !== convoId)) {
    throw new AppError(mlsErrors.invalidTicket)
  }
  return { userId: row.user_id, tenantId: row.tenant_id, sessionId: row.session_id }
}
