import type { Ctx } from '../../context.ts'
import type { Actor } from '../../policy/actor.ts'
import { listAccounts } from '../accounts/access.ts'
import { getHealth } from '../health/service.ts'
import { getInvitations } from '../invites/service.ts'
import { countFailing } from '../webhooks/access.ts'

/** The server's state in numbers, and findings for the administrator; no secrets, no names. */
export async function examine(
  ctx: Pick<Ctx, 'db' | 'clock' | 'log' | 'access' | 'config' | 'mailer' | 'push'>,
  actor: Actor,
) {
  const { read, engine } = ctx.db
  const { status, version, checks, timestamp } = await getHealth(ctx)
  const waiting = (await listAccounts(read, actor.tenantId, 'PendingAdmin')).length
  const open = (await getInvitations(ctx, actor)).filter(({ status }) => status === 'Active').length
  const { failing, failed } = await countFailing(read, actor.tenantId)
  const findings = [
    ...(status === 'healthy' ? [] : ['The store is not responding.']),
    ...(ctx.access.securityEnabled
      ? []
      : ['Security is switched off: everyone is an administrator.']),
    ...(ctx.mailer
      ? []
      : ['No mail server is configured: addresses are not confirmed, and no e-mail is sent.']),
    ...(ctx.push.fcm ? [] : ['Push through FCM is off.']),
    ...(waiting > 0 ? [`${waiting} accounts are awaiting approval.`] : []),
    ...(failing > 0 ? [`${failing} webhooks cannot be delivered right now.`] : []),
    ...(failed > 0 ? [`${failed} webhooks were given up on.`] : []),
  ]
  return {
    status,
    version,
    timestamp,
    checks,
    store: engine.kind,
    security: ctx.access.securityEnabled,
    accountsWaiting: waiting,
    invitationsOpen: open,
    webhooksFailing: failing,
    webhooksFailed: failed,
    findings,
  }
}
