import type { Ctx } from '../../context.ts'
import type { PendingChangeRow, UserRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { findAccountById } from '../accounts/access.ts'
import { isKeyActive, permissionsOfOwner } from '../api-keys/service.ts'
import type { AuditType } from '../audit/schema.ts'
import { recordAudit } from '../audit/service.ts'
import { actorOf } from './actor-of.ts'
import { changeErrors } from './errors.ts'
import { CHANGE_KINDS, type ChangeKind, type ChangeName } from './kinds.ts'
import { decideChange, setOutcome } from './store.ts'

export type DecideNeeds = Pick<
  Ctx,
  'db' | 'clock' | 'ids' | 'bus' | 'config' | 'keyring' | 'log' | 'mailer' | 'access'
>

export function kindOf({ kind }: PendingChangeRow): ChangeKind {
  return CHANGE_KINDS[kind as ChangeName]
}

/**
 * Performs the change on behalf of the approver, in one transaction with marking it as done, so that it
 * happens once. Returns the reply; undefined if it was already decided.
 */
export async function approveChange(
  ctx: DecideNeeds,
  change: PendingChangeRow,
  decider: UserRow,
): Promise<string | undefined> {
  const kind = kindOf(change)
  const actor = actorOf(decider, ctx.ids, `answer:${change.kind}`)
  try {
    await requireGoodKey(ctx, change, kind)
    return await ctx.db.transaction(async (tx) => {
      const decision = decisionOf(ctx, 'done', decider)
      if (!(await decideChange(tx, change.id, decision))) return undefined
      await recordAudit(ctx, tx, actor, entryOf('change.approved', change))
      const { outcome, told } = await kind.perform(ctx, tx, actor, JSON.parse(change.input))
      await setOutcome(tx, change.id, JSON.stringify(outcome))
      return `Done: ${told}`
    })
  } catch (error) {
    if (!(error instanceof AppError) || error.kind === 'unavailable') throw error
    return failChange(ctx, change, decider, error)
  }
}

/** Refuses the change for good. Returns the reply; undefined if it was already decided. */
export async function refuseChange(
  ctx: DecideNeeds,
  change: PendingChangeRow,
  decider: UserRow,
): Promise<string | undefined> {
  const actor = actorOf(decider, ctx.ids, `answer:${change.kind}`)
  return ctx.db.transaction(async (tx) => {
    const decision = decisionOf(ctx, 'refused', decider)
    if (!(await decideChange(tx, change.id, decision))) return undefined
    await recordAudit(ctx, tx, actor, entryOf('change.refused', change))
    return 'Nothing was done.'
  })
}

async function failChange(
  ctx: DecideNeeds,
  change: PendingChangeRow,
  decider: UserRow,
  error: AppError,
): Promise<string | undefined> {
  const actor = actorOf(decider, ctx.ids, `answer:${change.kind}`)
  return ctx.db.transaction(async (tx) => {
    const outcome = JSON.stringify({ error: error.code })
    const decision = { ...decisionOf(ctx, 'failed', decider), outcome }
    if (!(await decideChange(tx, change.id, decision))) return undefined
    const { details, ...entry } = entryOf('change.failed', change)
    await recordAudit(ctx, tx, actor, {
      ...entry,
      outcome: 'error',
      details: { ...details, code: error.code },
    })
    return `It could not be done: ${error.message}`
  })
}

/** The key may have been revoked, or its owner suspended, between question and answer. */
async function requireGoodKey(
  ctx: DecideNeeds,
  change: PendingChangeRow,
  kind: ChangeKind,
): Promise<void> {
  const { read } = ctx.db
  const owner = await findAccountById(read, change.tenant_id, change.requested_by)
  if (owner?.status !== 'Active' || !(await isKeyActive(ctx, change.key_id))) {
    throw new AppError(changeErrors.keyEnded)
  }
  const may = await permissionsOfOwner(ctx, read, owner)
  if (!may('mcp:admin') || !may(kind.permission)) throw new AppError(changeErrors.keyEnded)
}

function decisionOf(
  ctx: Pick<Ctx, 'clock'>,
  state: 'done' | 'refused' | 'failed',
  decider: UserRow,
) {
  return {
    state,
    decided_by: decider.id,
    decided_at: toIso(ctx.clock.now()),
    outcome: null,
  }
}

function entryOf(type: AuditType, change: PendingChangeRow) {
  return {
    type,
    target: { type: 'change', id: change.id },
    details: {
      kind: change.kind,
      requestedBy: change.requested_by,
      requestedWithKey: change.key_id,
    },
  }
}
