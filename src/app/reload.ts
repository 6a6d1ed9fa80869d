import type { Config } from '../config/config.ts'
import type { Ctx } from '../context.ts'
import { hasAdminWithPassword } from '../features/accounts/access.ts'
import { listKeysUsedSince } from '../features/api-keys/access.ts'
import { recordAudit } from '../features/audit/service.ts'
import { hasAdminSubject } from '../features/jwt-bearers/access.ts'
import { loadRoleTable } from '../features/roles/load.ts'
import { DAY, toIso } from '../platform/clock.ts'
import { reasonOf } from '../platform/errors.ts'
import { operatorActor } from '../policy/actor.ts'
import type { AuthMethod } from '../policy/auth-methods.ts'
import type { CredentialKind } from '../policy/credential.ts'

const WATCHED = 30 * DAY

/** Credential kinds that depend on a single method: their connections end when the method is removed. */
const CREDENTIALS: Partial<Record<AuthMethod, CredentialKind>> = {
  'api-key': 'api-key',
  jwt: 'jwt',
}

/** The settings were rejected and nothing changed; the message says why. */
export class ReloadRefused extends Error {}

/**
 * Applies the settings that may change while the server runs: the methods and the role file. All or
 * nothing: if a file is invalid, the last good settings stay. Sessions and their connections go on;
 * connections whose credential is no longer accepted end. All other settings take effect at the next
 * start.
 */
export async function reloadAccess(ctx: Ctx, next: Config): Promise<void> {
  try {
    await takeOver(ctx, next)
  } catch (error) {
    const reason = reasonOf(error)
    ctx.log.error(
      { reason },
      'the access settings were not applied: the last good ones stay in force',
    )
    await ctx.db.transaction((tx) =>
      recordAudit(ctx, tx, operatorActor(ctx.config.tenantId, 'reload', ctx.ids.next()), {
        type: 'access.reload_refused',
        outcome: 'error',
        details: { reason: reason.slice(0, 500) },
      }),
    )
    throw error
  }
}

async function takeOver(ctx: Ctx, next: Config): Promise<void> {
  const before = ctx.access.rules()
  const roleTable = await loadRoleTable(next)
  const methods = new Set(next.access.methods)
  const ended = [...before.methods].filter((method) => !methods.has(method))
  if (ended.length > 0) await requireWayIn(ctx, methods)
  if (ended.includes('api-key')) await tellWhoUsesKeys(ctx)
  ctx.access.replace({ methods, defaultMethod: next.access.defaultMethod, roleTable })
  for (const method of ended) {
    const credential = CREDENTIALS[method]
    if (credential) ctx.bus.disconnect({ credential, reason: 'method_not_allowed_here' })
  }
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, operatorActor(ctx.config.tenantId, 'reload', ctx.ids.next()), {
      type: 'access.reloaded',
      details: {
        methods: [...methods].join(','),
        defaultMethod: next.access.defaultMethod ?? null,
        roles: roleTable.roles.size,
      },
    }),
  )
  ctx.log.info(
    { methods: [...methods], roles: roleTable.roles.size },
    'the access settings are in force',
  )
}

/** No change may leave administrators without a way to sign in. */
async function requireWayIn({ db }: Pick<Ctx, 'db'>, methods: ReadonlySet<AuthMethod>) {
  // Whom the identity provider lets in cannot be checked here, so `oauth` counts as a way in.
  if (methods.has('oauth')) return
  if (methods.has('password') && (await hasAdminWithPassword(db.read))) return
  if (methods.has('jwt') && (await hasAdminSubject(db.read))) return
  throw new ReloadRefused('by these methods no administrator could sign in any more')
}

async function tellWhoUsesKeys({ db, clock, log }: Pick<Ctx, 'db' | 'clock' | 'log'>) {
  const now = clock.now()
  const keys = await listKeysUsedSince(db.read, toIso(now - WATCHED), toIso(now))
  if (keys.length === 0) return
  log.warn({ keys }, 'these API keys were used within the last 30 days and no longer work')
}
