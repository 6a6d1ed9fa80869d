import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { VERSION } from '../../platform/version.ts'
import type { Health, Readiness } from './schema.ts'

export async function getHealth(
  ctx: Pick<Ctx, 'db' | 'clock' | 'log' | 'access'>,
): Promise<Health> {
  const { ready, checks } = await getReadiness(ctx)
  return {
    status: ready ? 'healthy' : 'unhealthy',
    timestamp: toIso(ctx.clock.now()),
    version: VERSION,
    checks,
    ...(ctx.access.securityEnabled ? {} : { securityEnabled: false }),
  }
}

export async function getReadiness(ctx: Pick<Ctx, 'db' | 'log'>): Promise<Readiness> {
  try {
    await ctx.db.check()
    return { ready: true, checks: { database: 'ok' } }
  } catch (error) {
    ctx.log.warn({ err: error }, 'the database does not respond, or accepts no writes')
    return { ready: false, checks: { database: 'failed' } }
  }
}
