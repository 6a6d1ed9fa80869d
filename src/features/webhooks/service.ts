import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { ConversationRow, UserRow, WebhookRow } from '../../db/tables.ts'
import { parseTarget } from '../../outbound/address-rules.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { type Actor, authorize, requireUser } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { makeBot } from '../accounts/service-accounts.ts'
import { recordAudit } from '../audit/service.ts'
import { lockGroup, requireGroupAdmin } from '../conversations/access.ts'
import type { ConversationId } from '../conversations/schema.ts'
import { admitMember } from '../conversations/service.ts'
import { getChanges } from '../sync/service.ts'
import { webhookErrors } from './errors.ts'
import type { CreateWebhook, MadeWebhook, Webhook, WebhookId } from './schema.ts'
import { sealTarget } from './seal.ts'
import { newSecret } from './sign.ts'
import { deleteWebhookRow, insertWebhook, listWebhookRows } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config' | 'keyring' | 'log'>

const TOKEN_BYTES = 32
const MAX_WEBHOOKS = 20

/** Creates a webhook of a group, and a bot if none is given. Only this response contains its secrets. */
export async function createWebhook(
  ctx: Needs,
  actor: Actor,
  input: CreateWebhook,
): Promise<MadeWebhook> {
  const me = requireUser(actor)
  const { kind, name, url } = input
  // A webhook must not give a program more than its credential allows.
  authorize(actor, kind === 'outgoing' ? 'messages:read' : 'messages:write')
  if (url !== undefined && !parseTarget(url, ctx.config.outboundAllow)) {
    throw new AppError(webhookErrors.urlNotAllowed)
  }
  const id = ctx.ids.next()
  const token = randomToken(TOKEN_BYTES)
  const secret = newSecret()
  // Messages from now on are for it. Read before the transaction, which must wait for nothing but the store.
  const { cursor } = await getChanges(ctx, me, { limit: 1 })
  return ctx.db.transaction(async (tx) => {
    const group = await lockGroup(tx, me, input.id, requireGroupAdmin, webhookErrors.onlyInGroups)
    const hooks = await listWebhookRows(tx, group.id)
    if (hooks.length >= MAX_WEBHOOKS) {
      throw new AppError(webhookErrors.tooMany, { max: MAX_WEBHOOKS })
    }
    const now = toIso(ctx.clock.now())
    const bot = await findBot(ctx, tx, group, hooks, input)
    const common = {
      id,
      tenant_id: me.tenantId,
      conversation_id: group.id,
      bot_id: bot.id,
      kind,
      name,
      created_by: me.userId,
      created_at: now,
      ...UNSENT,
    }
    const row: WebhookRow =
      url === undefined
        ? { ...common, token_hash: sha256Hex(token) }
        : { ...common, ...outgoing(ctx, id, url, secret), cursor, next_try_at: now }
    await insertWebhook(tx, row)
    await recordAudit(ctx, tx, actor, {
      type: 'webhook.created',
      target: { type: 'webhook', id },
      details: { kind, conversationId: group.id, botId: bot.id, newBot: input.botId === undefined },
    })
    return {
      id,
      name,
      kind,
      bot: { id: bot.id, username: bot.username },
      createdAt: now,
      ...(url === undefined ? { url: `${ctx.config.publicUrl}/hooks/${token}` } : { secret }),
    }
  })
}

const UNSENT = {
  token_hash: null,
  key_id: null,
  sealed: null,
  host: null,
  cursor: null,
  sent_seq: null,
  looked_at: null,
  next_try_at: null,
  attempts: 0,
  failing_since: null,
  failed_at: null,
}

function outgoing(ctx: Pick<Ctx, 'keyring'>, id: string, url: string, secret: string) {
  const { keyId, bytes } = sealTarget(ctx, id, { url, secret })
  return { key_id: keyId, sealed: bytes, host: new URL(url).host }
}

/** The bot that the caller named, which must belong to another webhook of the group; or a new member. */
async function findBot(
  ctx: Needs,
  tx: Tx,
  group: ConversationRow,
  hooks: readonly WebhookRow[],
  { botId, name }: CreateWebhook,
): Promise<UserRow> {
  if (botId === undefined) {
    const bot = await makeBot(ctx, tx, group.tenant_id, name)
    await admitMember(ctx, tx, group, bot)
    return bot
  }
  const isOurs = hooks.some(({ bot_id }) => bot_id === botId)
  const bot = isOurs ? await findAccountById(tx, group.tenant_id, botId) : undefined
  if (!bot) throw new AppError(webhookErrors.botNotHere)
  return bot
}

/** The webhooks of a group, without their secrets, for users who may change them. */
export async function listWebhooks(
  ctx: Pick<Ctx, 'db'>,
  actor: Actor,
  { id }: ConversationId,
): Promise<Webhook[]> {
  const { read } = ctx.db
  const me = requireUser(actor)
  await requireGroupAdmin(read, me, id)
  const rows = await listWebhookRows(read, id)
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    kind: row.kind,
    bot: { id: row.bot_id, username: row.username },
    createdAt: row.created_at,
    createdById: row.created_by,
    ...(row.host === null ? {} : { host: row.host }),
    status: row.failed_at ? 'failed' : row.failing_since ? 'failing' : 'active',
    ...(row.failing_since === null ? {} : { failingSince: row.failing_since }),
  }))
}

/** Deletes a webhook; its bot stays a member until someone removes it. */
export async function deleteWebhook(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  { id: conversationId, webhookId }: WebhookId,
): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    await requireGroupAdmin(tx, me, conversationId)
    const hook = await deleteWebhookRow(tx, conversationId, webhookId)
    if (!hook) throw new AppError(commonErrors.notFound)
    await recordAudit(ctx, tx, actor, {
      type: 'webhook.deleted',
      target: { type: 'webhook', id: webhookId },
      details: { kind: hook.kind, conversationId, botId: hook.bot_id },
    })
  })
}
