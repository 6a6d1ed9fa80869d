import type { Ctx } from '../../context.ts'
import { afterCommit, type Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import type { Actor } from '../../policy/actor.ts'
import { writeLetter } from './letters.ts'
import { listAdmins } from './store.ts'

/** Notifies the administrators, by mail and in the log, that an account awaits their approval. */
export async function tellOfWaiting(
  ctx: Pick<Ctx, 'log' | 'mailer'>,
  tx: Tx,
  actor: Actor,
  user: Pick<UserRow, 'id' | 'tenant_id' | 'username'>,
): Promise<void> {
  // Without the name: logs outlive an erasure.
  afterCommit(tx, () =>
    ctx.log.info({ userId: user.id }, 'someone is waiting for approval: mimir user review'),
  )
  if (!ctx.mailer) return
  for (const { email, username } of await listAdmins(tx, user.tenant_id)) {
    if (!email) continue
    const about = { to: email, username, who: user.username }
    await ctx.mailer.queue(tx, user.tenant_id, writeLetter(actor, 'approvalNeeded', about))
  }
}

/** Tells an approved person that they can sign in. */
export async function tellApproved(
  ctx: Pick<Ctx, 'mailer'>,
  tx: Tx,
  actor: Actor,
  user: UserRow,
): Promise<void> {
  if (!ctx.mailer || !user.email) return
  const about = { to: user.email, username: user.username }
  await ctx.mailer.queue(tx, user.tenant_id, writeLetter(actor, 'approved', about))
}
