import type { Ctx } from '../../context.ts'
import type { Actor } from '../../policy/actor.ts'
import type { Bot } from './schema.ts'
import { listBotRows } from './store.ts'

/** All service accounts: those of API keys, and the bots created with webhooks. */
export async function listBots(ctx: Pick<Ctx, 'db'>, actor: Actor): Promise<Bot[]> {
  const rows = await listBotRows(ctx.db.read, actor.tenantId)
  return rows.map((row) => ({
    id: row.id,
    username: row.username,
    name: row.display_name,
    status: row.status,
    createdAt: row.created_at,
    groups: Number(row.groups),
    webhooks: Number(row.webhooks),
    failing: Number(row.failing),
  }))
}
