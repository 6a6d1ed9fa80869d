import type { Ctx } from '../../../context.ts'
import type { MlsTicketRow } from '../../../db/tables.ts'
import { SECOND, toIso } from '../../../platform/clock.ts'
import { AppError, commonErrors } from '../../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../../platform/tokens.ts'
import { type Actor, type CallerCredential, requireUser } from '../../../policy/actor.ts'
import { FOR_REQUESTS_ALONE } from '../../../policy/credential.ts'
import type { Permission } from '../../../policy/permissions.ts'
import { requireMember } from '../access.ts'
import { mlsErrors } from '../errors.ts'
import { deleteTicketsBefore, insertTicket, takeTicket } from '../store/tickets.ts'

/** Tickets are part of a URL, so they are valid once and only briefly. */
const LIFE = 30 * SECOND

/** Issues a ticket for the event stream, for clients that cannot send headers with a WebSocket. */
export async function getSubscriptionTicket(
  ctx: Pick<Ctx, 'db' | 'clock' | 'config'>,
  actor: Actor,
  input: { readonly convoId?: string },
): Promise<{ ticket: string; endpoint: string; expiresAt: string }> {
  const me = requireUser(actor)
  const { credential, keyId, scopes, sessionId, validUntil } = me
  // A stream outlives its request: a credential that may not open one may not get a ticket for it either.
  if (credential && FOR_REQUESTS_ALONE.has(credential)) {
    throw new AppError(commonErrors.unauthorized)
  }
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
      session_id: sessionId ?? null,
      convo_id: input.convoId ?? null,
      expires_at: expiresAt,
      key_id: keyId ?? null,
      credential: credential ?? null,
      scopes: scopes === undefined ? null : JSON.stringify([...scopes]),
      valid_until: validUntil === undefined ? null : toIso(validUntil),
    })
  })
  const base = ctx.config.publicUrl.replace(/^http/, 'ws')
  return { ticket, endpoint: `${base}/xrpc/blue.catbird.mls.subscribeConvoEvents`, expiresAt }
}

/** Who bought a ticket, and what they presented for it. */
export interface TicketHolder {
  readonly userId: string
  readonly presented: CallerCredential
}

/** Redeems a ticket once. Throws `InvalidTicket`, also if the ticket is for another conversation. */
export async function redeemTicket(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  ticket: string,
  convoId: string | null,
): Promise<TicketHolder> {
  const row = await ctx.db.transaction((tx) => takeTicket(tx, sha256Hex(ticket)))
  const isGood = row !== undefined && row.expires_at > toIso(ctx.clock.now())
  if (!isGood || (row.convo_id !== null && row.convo_id !== convoId)) {
    throw new AppError(mlsErrors.invalidTicket)
  }
  return { userId: row.user_id, presented: credentialOf(row) }
}

/** What was presented for the ticket: the row has the fields that `getSubscriptionTicket` found in it. */
function credentialOf(row: MlsTicketRow): CallerCredential {
  const { session_id, key_id, credential, scopes, valid_until } = row
  const presented: object = {
    ...(credential === null ? {} : { credential }),
    ...(session_id === null ? {} : { sessionId: session_id }),
    ...(key_id === null ? {} : { keyId: key_id }),
    ...(scopes === null ? {} : { scopes: new Set<Permission>(JSON.parse(scopes)) }),
    ...(valid_until === null ? {} : { validUntil: Date.parse(valid_until) }),
  }
  return presented as CallerCredential
}
