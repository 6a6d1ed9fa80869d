import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { inviteErrors } from './errors.ts'
import {
  type CreatedInvitation,
  type CreateInvitation,
  INVITATION_DAYS_DEFAULT,
  type Invitation,
  type InvitationId,
} from './schema.ts'
import {
  expireInvitation,
  findInvitation,
  findOpenInvitation,
  insertInvitation,
  listInvitations,
  markRedeemed,
} from './store.ts'

/** The returned token is the only copy: only its hash is stored. */
export function createInvitation(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  input: CreateInvitation,
): Promise<CreatedInvitation> {
  return ctx.db.transaction((tx) => addInvitation(ctx, tx, actor, input))
}

/** The same within a transaction. */
export async function addInvitation(
  ctx: Pick<Ctx, 'clock' | 'ids'>,
  tx: Tx,
  actor: Actor,
  input: CreateInvitation,
): Promise<CreatedInvitation> {
  const token = randomToken(32)
  const now = ctx.clock.now()
  const id = ctx.ids.next()
  const expiresAt = toIso(now + (input.expiryDays ?? INVITATION_DAYS_DEFAULT) * DAY)
  await insertInvitation(tx, {
    id,
    tenant_id: actor.tenantId,
    token_hash: sha256Hex(token),
    note: input.note || null,
    created_by: actor.kind === 'user' ? actor.userId : null,
    created_at: toIso(now),
    expires_at: expiresAt,
    redeemed_by: null,
    redeemed_at: null,
  })
  await recordAudit(ctx, tx, actor, {
    type: 'invite.created',
    target: { type: 'invitation', id },
  })
  return { id, token, expiresAt }
}

/** Newest first. */
export async function getInvitations(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
): Promise<Invitation[]> {
  const now = toIso(ctx.clock.now())
  const rows = await listInvitations(ctx.db.read, actor.tenantId)
  return rows.map((row) => ({
    id: row.id,
    note: row.note,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    redeemedAt: row.redeemed_at,
    redeemedByUsername: row.redeemed_by_username,
    status: row.redeemed_at ? 'Used' : row.expires_at <= now ? 'Expired' : 'Active',
  }))
}

export function revokeInvitation(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  input: InvitationId,
): Promise<void> {
  return ctx.db.transaction((tx) => endInvitation(ctx, tx, actor, input))
}

/** The same within a transaction. */
export async function endInvitation(
  ctx: Pick<Ctx, 'clock' | 'ids'>,
  tx: Tx,
  actor: Actor,
  input: InvitationId,
): Promise<void> {
  const invitation = await findInvitation(tx, actor.tenantId, input.id)
  if (!invitation) throw new AppError(commonErrors.notFound)
  if (invitation.redeemed_at) throw new AppError(inviteErrors.alreadyRedeemed)
  // Also false if it is being redeemed concurrently.
  const expired = await expireInvitation(tx, input.id, toIso(ctx.clock.now()))
  if (!expired) throw new AppError(inviteErrors.alreadyExpired)
  await recordAudit(ctx, tx, actor, {
    type: 'invite.revoked',
    target: { type: 'invitation', id: input.id },
  })
}

export interface OpenInvitation {
  readonly id: string
  readonly tenantId: string
  readonly expiresAt: string
}

/**
 * Returns the invitation behind a token, or throws `invalid_or_expired_invitation`. Does not
 * consume it: see `redeemInvitation`.
 */
export async function requireOpenInvitation(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  token: string,
): Promise<OpenInvitation> {
  const invitation = await findInvitationOf(ctx, token)
  if (!invitation) throw new AppError(inviteErrors.invalidOrExpired)
  return invitation
}

/** The same; undefined if there is none. */
export async function findInvitationOf(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  token: string,
): Promise<OpenInvitation | undefined> {
  const row = await findOpenInvitation(ctx.db.read, sha256Hex(token), toIso(ctx.clock.now()))
  return row && { id: row.id, tenantId: row.tenant_id, expiresAt: row.expires_at }
}

/**
 * Consumes the invitation in the transaction that creates the account; throws if it
 * was used or expired meanwhile.
 */
export async function redeemInvitation(
  ctx: Pick<Ctx, 'clock'>,
  tx: Tx,
  invitation: OpenInvitation,
  userId: string,
): Promise<void> {
  if (!(await markRedeemed(tx, invitation.id, userId, toIso(ctx.clock.now())))) {
    throw new AppError(inviteErrors.invalidOrExpired)
  }
}
