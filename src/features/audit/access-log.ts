import type { Ctx } from '../../context.ts'
import type { Actor } from '../../policy/actor.ts'
import type { Requirement } from '../../policy/permissions.ts'
import { recordAudit } from './service.ts'

/** Permissions to read what users wrote to each other. */
const READS: ReadonlySet<Requirement> = new Set([
  'conversations:read',
  'messages:read',
  'messages:search',
  'attachments:read',
])

/**
 * If the settings require it, records who is about to read what: before the response, so that nothing is read
 * unrecorded (45 CFR 164.312(b), audit controls).
 */
export async function recordDataRead(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'config'>,
  actor: Actor,
  requirement: Requirement,
  params: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (!ctx.config.watched || actor.kind !== 'user' || !READS.has(requirement)) return
  const [name, id] = Object.entries(params)[0] ?? []
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'data.read',
      ...(name && id ? { target: { type: name, id } } : {}),
    }),
  )
}
