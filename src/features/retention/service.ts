import type { Ctx } from '../../context.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { findHeld } from './access.ts'
import { listClasses } from './classes.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config' | 'metrics' | 'keyring'>

export interface RetentionOfClass {
  readonly class: string
  /** 0: kept for good. */
  readonly days: number
  /** How many rows would be deleted now, or were. */
  readonly rows: number
}

/** The retention period of each class, and how much of it would be deleted now. */
export async function showRetention(ctx: Needs): Promise<RetentionOfClass[]> {
  const held = await findHeld(ctx.db.read)
  const shown: RetentionOfClass[] = []
  for (const { name, days, due } of listClasses(ctx)) {
    shown.push({ class: name, days, rows: days === 0 ? 0 : await due(held) })
  }
  return shown
}

/** Deletes data past retention, class by class; one audit event for each that deleted something. */
export async function runRetention(
  ctx: Needs,
  actor: Actor,
  signal: AbortSignal,
): Promise<RetentionOfClass[]> {
  const ran: RetentionOfClass[] = []
  for (const { name, days, run } of listClasses(ctx)) {
    const rows = days === 0 || signal.aborted ? 0 : await run(actor, signal)
    ran.push({ class: name, days, rows })
    if (rows === 0) continue
    ctx.metrics.retentionDeleted.add(name, rows)
    await ctx.db.transaction((tx) =>
      recordAudit(ctx, tx, actor, { type: 'retention.run', details: { class: name, rows } }),
    )
  }
  if (!signal.aborted) ctx.metrics.retentionRan = ctx.clock.now() / 1000
  return ran
}
