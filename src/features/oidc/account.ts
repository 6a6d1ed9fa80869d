import type { OidcProvider } from '../../config/oidc.ts'
import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { isConflict } from '../../db/errors.ts'
import type { IdentityRow, UserRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { randomToken } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import {
  changeRole,
  findAccountById,
  findUserByLogin,
  insertUser,
  requireAnotherAdmin,
} from '../accounts/access.ts'
import { accountErrors } from '../accounts/errors.ts'
import { newUser } from '../accounts/service.ts'
import { recordAudit } from '../audit/service.ts'
import { findInvitationOf, redeemInvitation } from '../invites/service.ts'
import { findSubject } from '../jwt-bearers/access.ts'
import { reconnectAfterCommit } from '../roles/service.ts'
import { admissionByRule, mappedRole, roleAfter } from './admission.ts'
import { type Claims, textAt, valuesAt, verifiedEmail } from './claims.ts'
import { oidcErrors } from './errors.ts'
import { findIdentity, insertIdentity, updateIdentity } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'log' | 'config' | 'bus' | 'admission'>

export interface Person {
  readonly provider: OidcProvider
  readonly issuer: string
  readonly subject: string
  readonly claims: Claims
}

/** Retries for concurrent sign-ins of one user, or a username that is being taken concurrently. */
const MAX_TRIES = 5

/**
 * The account of a user, found only by issuer and subject; a new one if an invitation or a rule admits them,
 * else throws `not_admitted`. Their role follows the claims.
 */
export async function resolveAccount(
  ctx: Needs,
  actor: Actor,
  person: Person,
  invitationToken: string | undefined,
): Promise<UserRow> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { issuer, subject } = person
      const known = await findIdentity(ctx.db.read, ctx.config.tenantId, issuer, subject)
      if (known) return await welcomeBack(ctx, actor, person, known)
      const own = await ownerOfSubject(ctx, person)
      if (!own) return await admit(ctx, actor, person, invitationToken, attempt > 1)
      await linkIdentity(ctx, actor, person, own)
    } catch (error) {
      if (!isConflict(error) || attempt === MAX_TRIES) throw error
    }
  }
}

/** The account that the operator assigned to the subject; never a service, which is not a person. */
async function ownerOfSubject(ctx: Needs, person: Person): Promise<UserRow | undefined> {
  const tenantId = ctx.config.tenantId
  const subject = await findSubject(ctx.db.read, person.issuer, person.subject)
  if (!subject || subject.tenant_id !== tenantId || subject.role === 'service') return undefined
  return findAccountById(ctx.db.read, tenantId, subject.user_id)
}

async function welcomeBack(
  ctx: Needs,
  actor: Actor,
  person: Person,
  identity: IdentityRow,
): Promise<UserRow> {
  return ctx.db.transaction(async (tx) => {
    const user = await findAccountById(tx, identity.tenant_id, identity.user_id)
    if (!user) throw notAdmitted('no_account')
    const values = claimValues(ctx, person)
    const next = roleAfter(user.role, identity.granted_role, person.provider, values)
    const role = await applyRole(ctx, tx, actor, user, next.role)
    await updateIdentity(tx, identity.id, {
      claim_values: JSON.stringify(values ?? []),
      granted_role: role === next.role ? next.granted : identity.granted_role,
      last_used_at: toIso(ctx.clock.now()),
    })
    // Read again: changing the role changed the account's timestamp, which the next step compares.
    return (await findAccountById(tx, identity.tenant_id, identity.user_id)) ?? user
  })
}

/** Changes the role, unless no administrator would be left: then it stays. */
export async function applyRole(
  ctx: Pick<Needs, 'clock' | 'ids' | 'log' | 'bus'>,
  tx: Tx,
  actor: Actor,
  user: UserRow,
  role: UserRow['role'],
): Promise<UserRow['role']> {
  if (role === user.role) return role
  try {
    if (role !== 'admin') await requireAnotherAdmin(tx, user)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== accountErrors.lastAdmin.code) throw error
    ctx.log.warn({ userId: user.id }, 'the claims would remove the last administrator: kept')
    return user.role
  }
  await changeRole(tx, user.id, role, toIso(ctx.clock.now()))
  await recordAudit(ctx, tx, actor, {
    type: 'account.role_changed',
    target: { type: 'user', id: user.id },
    details: { from: user.role, to: role, by: 'claims' },
  })
  reconnectAfterCommit(ctx, tx, user.id)
  return role
}

async function admit(
  ctx: Needs,
  actor: Actor,
  person: Person,
  invitationToken: string | undefined,
  needsOtherName: boolean,
): Promise<UserRow> {
  // The callback is open while the server is read-only, for those who have an account.
  ctx.admission.check({ actor, changes: true })
  const { provider, claims } = person
  const tenantId = ctx.config.tenantId
  const byRule = admissionByRule(provider, claims)
  const invitation =
    byRule === undefined && invitationToken !== undefined
      ? await findInvitationOf(ctx, invitationToken)
      : undefined
  if (byRule === undefined && invitation?.tenantId !== tenantId) throw notAdmitted('not_invited')
  const values = claimValues(ctx, person) ?? []
  const granted = mappedRole(provider, values)
  return ctx.db.transaction(async (tx) => {
    const email = verifiedEmail(claims)
    const user = newUser(ctx, {
      tenantId,
      username: await freeName(tx, tenantId, nameOf(claims), needsOtherName),
      // An address that belongs to an account stays there; the two accounts are not merged.
      email: email && !(await findUserByLogin(tx, tenantId, email)) ? email : null,
      phone: null,
      passwordHash: null,
      status: byRule === 'active' ? 'Active' : 'PendingAdmin',
      role: granted ?? 'member',
    })
    if (invitation) await redeemInvitation(ctx, tx, invitation, user.id)
    await insertUser(tx, user)
    await insertIdentity(tx, {
      ...identityRow(ctx, person, user, values),
      granted_role: granted ?? null,
    })
    await recordAudit(ctx, tx, actor, {
      type: 'account.registered',
      target: { type: 'user', id: user.id },
      details: {
        provider: provider.name,
        status: user.status,
        role: user.role,
        ...(invitation ? { invitationId: invitation.id } : {}),
      },
    })
    return user
  })
}

/** Adds the identity to the account of a signed-in user; returns false if it is already theirs. */
export async function linkIdentity(
  ctx: Needs,
  actor: Actor,
  person: Person,
  user: UserRow,
): Promise<boolean> {
  return ctx.db.transaction(async (tx) => {
    const known = await findIdentity(tx, user.tenant_id, person.issuer, person.subject)
    if (known) {
      if (known.user_id !== user.id) throw new AppError(oidcErrors.identityTaken)
      return false
    }
    // Claims grant a role at the next sign-in; linking only adds a way to sign in.
    await insertIdentity(tx, {
      ...identityRow(ctx, person, user, claimValues(ctx, person) ?? []),
      granted_role: null,
    })
    await recordAudit(ctx, tx, actor, {
      type: 'identity.linked',
      target: { type: 'user', id: user.id },
      details: { provider: person.provider.name },
    })
    return true
  })
}

function identityRow(
  ctx: Needs,
  { provider, issuer, subject }: Person,
  user: UserRow,
  values: readonly string[],
): Omit<IdentityRow, 'granted_role'> {
  const now = toIso(ctx.clock.now())
  return {
    id: ctx.ids.next(),
    tenant_id: user.tenant_id,
    user_id: user.id,
    provider: provider.name,
    issuer,
    subject,
    claim_values: JSON.stringify(values),
    created_at: now,
    last_used_at: now,
  }
}

/** The values at the claim path; undefined, with a warning, if the claim is missing or too long. */
function claimValues(ctx: Needs, { provider, claims }: Person): readonly string[] | undefined {
  if (provider.claimPath === undefined) return []
  const values = valuesAt(claims, provider.claimPath)
  if (values === undefined) {
    ctx.log.warn(
      { provider: provider.name, claimPath: provider.claimPath },
      'a sign-in without the roles claim, or with too many values in it: no role is granted',
    )
  }
  return values
}

/** The user's name at the provider, in the characters that usernames allow. */
function nameOf(claims: Claims): string {
  const called =
    textAt(claims, 'preferred_username') ?? textAt(claims, 'email') ?? textAt(claims, 'name') ?? ''
  const name = (called.split('@')[0] ?? '')
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .replaceAll(/[^A-Za-z0-9_]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 40)
  return name.length >= 3 ? name : `user_${name}`
}

async function freeName(
  tx: Tx,
  tenantId: string,
  name: string,
  needsOther: boolean,
): Promise<string> {
  const isTaken = needsOther || (await findUserByLogin(tx, tenantId, name)) !== undefined
  return isTaken ? `${name}_${randomToken(4).replaceAll(/[^A-Za-z0-9]/g, '')}` : name
}

/** One message for every reason: the true one is only in the audit log. */
export function notAdmitted(reason: string, userId?: string): AppError {
  const target = userId === undefined ? {} : { targetType: 'user', targetId: userId }
  return new AppError(oidcErrors.notAdmitted, {}, { audit: { reason, ...target } })
}
