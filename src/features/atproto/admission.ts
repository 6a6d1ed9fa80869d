import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { isConflict } from '../../db/errors.ts'
import type { UserRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { Actor, Origin } from '../../policy/actor.ts'
import { insertUser, listUsersByDid } from '../accounts/access.ts'
import { newUser } from '../accounts/service.ts'
import { recordAudit } from '../audit/service.ts'
import { redeemInvitation, requireOpenInvitation } from '../invites/service.ts'
import { atprotoErrors } from './errors.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config'>

/**
 * Returns the account of a verified DID. If it has none, creates one if the settings admit the DID (open
 * to all, or by allowlist); otherwise returns undefined.
 */
export async function findOrAdmit(
  ctx: Needs & Pick<Ctx, 'admission'>,
  tenantId: string,
  did: string,
  origin: Origin,
): Promise<UserRow | undefined> {
  const known = await findByDid(ctx, tenantId, did)
  if (known) return known
  const { admission, allowlist } = ctx.config.atproto
  const isAdmitted = admission === 'open' || (admission === 'allowlist' && allowlist.includes(did))
  if (!isAdmitted) return undefined
  const actor: Actor = { kind: 'anonymous', tenantId, origin }
  // Authentication comes before the check of the call itself, which may only read.
  ctx.admission.check({ actor, changes: true })
  const user = accountFor(ctx, tenantId, did, 'Active')
  try {
    await ctx.db.transaction(async (tx) => {
      await insertUser(tx, user)
      await recordAdmission(ctx, tx, actor, user, { admission })
    })
    return user
  } catch (error) {
    // A concurrent first call has created the account.
    if (!isConflict(error)) throw error
    return findByDid(ctx, tenantId, did)
  }
}

/**
 * Creates an account for a verified DID by an invitation; like any other it needs an administrator's
 * approval. Throws `InvalidInvitation`, also if the DID already has an account.
 */
export async function admitByInvitation(
  ctx: Needs,
  actor: Actor,
  did: string,
  token: string,
): Promise<UserRow> {
  const refused = (cause: unknown) =>
    cause instanceof AppError && cause.kind === 'invalid'
      ? new AppError(atprotoErrors.invalidInvitation, {}, { cause })
      : cause
  const invitation = await requireOpenInvitation(ctx, token).catch((error) => {
    throw refused(error)
  })
  const user = accountFor(ctx, invitation.tenantId, did, 'PendingAdmin')
  try {
    await ctx.db.transaction(async (tx) => {
      await redeemInvitation(ctx, tx, invitation, user.id)
      await insertUser(tx, user)
      await recordAdmission(ctx, tx, actor, user, { invitationId: invitation.id })
    })
  } catch (error) {
    if (isConflict(error)) throw new AppError(atprotoErrors.invalidInvitation)
    throw refused(error)
  }
  return user
}

async function findByDid(
  ctx: Pick<Ctx, 'db'>,
  tenantId: string,
  did: string,
): Promise<UserRow | undefined> {
  const [user] = await listUsersByDid(ctx.db.read, tenantId, { dids: [did], usernameKeys: [] })
  return user
}

function accountFor(ctx: Needs, tenantId: string, did: string, status: UserRow['status']): UserRow {
  return newUser(ctx, {
    tenantId,
    username: usernameFor(did),
    email: null,
    phone: null,
    passwordHash: null,
    status,
    role: 'member',
    did,
  })
}

/** The DID in characters that a username may have, plus a hash so that no two DIDs share a username. */
function usernameFor(did: string): string {
  const spelt = did
    .replace(/^did:/, '')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .slice(0, 38)
  return `${spelt}_${sha256Hex(did).slice(0, 8)}`
}

function recordAdmission(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  user: UserRow,
  how: Record<string, string>,
): Promise<void> {
  return recordAudit(ctx, tx, actor, {
    type: 'account.registered',
    target: { type: 'user', id: user.id },
    details: { ...how, did: user.did, status: user.status },
  })
}
