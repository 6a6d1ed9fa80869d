import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { requireAccount } from '../accounts/access.ts'
import { findService } from '../accounts/service-accounts.ts'
import { recordAudit } from '../audit/service.ts'
import { subjectErrors } from './errors.ts'
import { deleteSubject, insertSubject, listSubjects } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config'>

export interface Subject {
  readonly subject: string
  readonly issuer?: string | undefined
}

/** Accepts another issuer's tokens for the subject as the account; creates a service if needed. */
export async function linkSubject(
  ctx: Needs,
  actor: Actor,
  input: Subject & { readonly user: string; readonly service?: boolean | undefined },
): Promise<{ userId: string; username: string; issuer: string; subject: string }> {
  const issuer = issuerFor(ctx, input)
  const { subject } = input
  return ctx.db.transaction(async (tx) => {
    const { user, isNew } = await findOwner(ctx, tx, actor, input)
    const isLinked = await insertSubject(tx, {
      issuer,
      subject,
      tenant_id: user.tenant_id,
      user_id: user.id,
      created_at: toIso(ctx.clock.now()),
    })
    if (!isLinked) throw new AppError(subjectErrors.taken)
    await recordAudit(ctx, tx, actor, {
      type: 'account.subject_linked',
      target: { type: 'user', id: user.id },
      details: { issuer, newService: isNew },
    })
    return { userId: user.id, username: user.username, issuer, subject }
  })
}

/** The account named: a service, created if there is none, or any existing one. */
async function findOwner(
  ctx: Needs,
  tx: Tx,
  { tenantId }: Actor,
  wanted: { readonly user: string; readonly service?: boolean | undefined },
): Promise<{ user: UserRow; isNew: boolean }> {
  if (!wanted.service)
    return { user: await requireAccount(tx, tenantId, wanted.user), isNew: false }
  const { service, isNew } = await findService(ctx, tx, tenantId, wanted.user)
  return { user: service, isNew }
}

export async function unlinkSubject(
  ctx: Needs,
  actor: Actor,
  input: Subject,
): Promise<{ userId: string }> {
  const issuer = issuerFor(ctx, input)
  return ctx.db.transaction(async (tx) => {
    const userId = await deleteSubject(tx, actor.tenantId, issuer, input.subject)
    if (userId === undefined) throw new AppError(subjectErrors.unknown)
    await recordAudit(ctx, tx, actor, {
      type: 'account.subject_unlinked',
      target: { type: 'user', id: userId },
      details: { issuer },
    })
    return { userId }
  })
}

export function getSubjects(ctx: Pick<Ctx, 'db'>, actor: Actor) {
  return listSubjects(ctx.db.read, actor.tenantId)
}

function issuerFor({ config }: Pick<Ctx, 'config'>, { issuer }: Subject): string {
  const [first] = config.access.jwtIssuers
  const known = issuer ?? first?.issuer
  if (known === undefined) throw new AppError(subjectErrors.noIssuer)
  return known
}
