import { randomInt } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import type { PendingChangeRow, UserRow } from '../../db/tables.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { openServerAccount } from '../accounts/service-accounts.ts'
import { recordAudit } from '../audit/service.ts'
import { sendMessage } from '../messages/service.ts'
import { getChanges } from '../sync/service.ts'
import { actorOf } from './actor-of.ts'
import { findApprovers } from './approvers.ts'
import { changeErrors } from './errors.ts'
import { CHANGE_KINDS, type ChangeName } from './kinds.ts'
import type { ChangeId, ChangeState, Planned } from './schema.ts'
import { countPending, findChange, insertChange } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config' | 'keyring' | 'log' | 'mailer'>

/** How long an administrator has to answer. */
const LIFETIME = 10 * MINUTE
/** Per program, so that nobody is pestered until they say yes. */
const MAX_PENDING = 3
/** Letters and digits that cannot be confused with one another. */
const CODE_CHARACTERS = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'
const CODE_LENGTH = 6

/** Describes a change; unless it is a dry run, asks an administrator to approve it. */
export async function planChange(
  ctx: Needs,
  actor: Actor,
  name: ChangeName,
  { dryRun, ...input }: { readonly dryRun: boolean },
): Promise<Planned> {
  const me = requireUser(actor)
  const description = await CHANGE_KINDS[name].describe(ctx, actor, input)
  if (dryRun) return { dryRun, description }
  const { keyId } = me
  if (keyId === undefined) throw new AppError(changeErrors.onlyKeys)
  const { server, row } = await keep(ctx, me, keyId, name, input)
  await tell(ctx, server, row, `${me.username} (key ${keyId})`, description)
  return { dryRun, description, change: stateOf(row, row.created_at) }
}

async function keep(
  ctx: Needs,
  me: UserActor,
  keyId: string,
  name: ChangeName,
  input: object,
): Promise<{ server: UserRow; row: PendingChangeRow }> {
  const { cursor } = await getChanges(ctx, me, { limit: 1 })
  const id = ctx.ids.next()
  const code = Array.from(
    { length: CODE_LENGTH },
    () => CODE_CHARACTERS[randomInt(CODE_CHARACTERS.length)],
  ).join('')
  return ctx.db.transaction(async (tx) => {
    const now = ctx.clock.now()
    if ((await countPending(tx, me.userId, toIso(now))) >= MAX_PENDING) {
      throw new AppError(changeErrors.tooMany, { max: MAX_PENDING })
    }
    const server = await openServerAccount(ctx, tx, me.tenantId)
    const approvers = await findApprovers(ctx, tx, me, server, CHANGE_KINDS[name].permission)
    const row: PendingChangeRow = {
      id,
      tenant_id: me.tenantId,
      code,
      kind: name,
      input: JSON.stringify(input),
      requested_by: me.userId,
      key_id: keyId,
      approvers: JSON.stringify(approvers),
      cursor,
      created_at: toIso(now),
      expires_at: toIso(now + LIFETIME),
      state: 'pending',
      decided_by: null,
      decided_at: null,
      outcome: null,
    }
    await insertChange(tx, row)
    await recordAudit(ctx, tx, me, {
      type: 'change.requested',
      target: { type: 'change', id },
      details: { kind: name, asked: approvers.length },
    })
    return { server, row }
  })
}

/** The code is only in these messages: the requesting program never sees it. */
async function tell(
  ctx: Needs,
  server: UserRow,
  { id, code, approvers }: PendingChangeRow,
  who: string,
  description: string,
): Promise<void> {
  const content =
    `A program is asking for a change. It acts as ${who}.\n\nIt wants to ${description}.\n\n` +
    `To approve, answer within ten minutes:\nyes ${code}\nOtherwise answer:\nno ${code}`
  let told = 0
  for (const { conversationId } of JSON.parse(approvers)) {
    const message = { conversationId, content, clientMessageId: `ask:${id}` }
    try {
      await sendMessage(ctx, actorOf(server, ctx.ids, 'server:ask'), message)
      told += 1
    } catch (error) {
      // Administrators who have blocked the server's account are not asked.
      if (!(error instanceof AppError) || error.kind !== 'forbidden') throw error
    }
  }
  if (told === 0) throw new AppError(changeErrors.nobodyToAsk)
}

/** The state of a change that the caller requested. */
export async function getChange(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
  { changeId }: ChangeId,
): Promise<ChangeState> {
  const row = await findChange(ctx.db.read, requireUser(actor).userId, changeId)
  if (!row) throw new AppError(commonErrors.notFound)
  return stateOf(row, toIso(ctx.clock.now()))
}

function stateOf(row: PendingChangeRow, now: string): ChangeState {
  return {
    changeId: row.id,
    kind: row.kind,
    state: row.state === 'pending' && row.expires_at <= now ? 'expired' : row.state,
    expiresAt: row.expires_at,
    decidedAt: row.decided_at,
    outcome: row.outcome === null ? null : JSON.parse(row.outcome),
  }
}
