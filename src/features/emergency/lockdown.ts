import type { Ctx } from '../../context.ts'
import { afterCommit } from '../../db/database.ts'
import type { LockdownRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { endEverySession } from '../sessions/service.ts'
import { emergencyErrors } from './errors.ts'
import { insertLockdown, liftAll, listStanding } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'admission'>

/**
 * Closes the server, or makes it read-only: every session ends, and credentials without a session are
 * refused. It persists through restarts until it is lifted.
 */
export async function startLockdown(
  ctx: Needs,
  actor: Actor,
  input: { mode: LockdownRow['mode'] },
): Promise<{ mode: LockdownRow['mode']; sessionsEnded: number }> {
  const { mode } = input
  return ctx.db.transaction(async (tx) => {
    const now = toIso(ctx.clock.now())
    const id = ctx.ids.next()
    await insertLockdown(tx, { id, mode, started_at: now, lifted_at: null })
    const sessionsEnded = await endEverySession(ctx, tx, 'lockdown')
    await recordAudit(ctx, tx, actor, {
      type: 'lockdown.started',
      target: { type: 'lockdown', id },
      details: { mode, sessionsEnded },
    })
    afterCommit(tx, () => ctx.admission.close(mode))
    return { mode, sessionsEnded }
  })
}

/** Opens the server again. Users must sign in again. */
export async function liftLockdown(ctx: Needs, actor: Actor): Promise<{ lifted: number }> {
  return ctx.db.transaction(async (tx) => {
    const lifted = await liftAll(tx, toIso(ctx.clock.now()))
    if (lifted === 0) throw new AppError(emergencyErrors.notLocked)
    await recordAudit(ctx, tx, actor, { type: 'lockdown.lifted', details: { lifted } })
    afterCommit(tx, () => {
      ctx.admission.lift('closed')
      ctx.admission.lift('read-only')
    })
    return { lifted }
  })
}

/** Applies the lockdown stored in the database: at startup, and when another node changed it. */
export async function followLockdown(ctx: Pick<Ctx, 'db' | 'admission'>): Promise<void> {
  const before = ctx.admission.closures().join()
  const modes = new Set((await listStanding(ctx.db.read)).map((row) => row.mode))
  // What this node has changed meanwhile is newer than what was read.
  if (ctx.admission.closures().join() !== before) return
  for (const mode of ['closed', 'read-only'] as const) {
    if (modes.has(mode)) ctx.admission.close(mode)
    else ctx.admission.lift(mode)
  }
}
