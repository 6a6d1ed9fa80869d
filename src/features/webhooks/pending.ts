import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { jobActor, type UserActor } from '../../policy/actor.ts'
import { listUsersById } from '../accounts/access.ts'
import { shownOf } from '../accounts/service.ts'
import type { Message } from '../messages/schema.ts'
import { syncErrors } from '../sync/errors.ts'
import type { SyncPage } from '../sync/schema.ts'
import { getChanges } from '../sync/service.ts'
import { botActor } from './bot-actor.ts'
import type { BotWebhookRow } from './store.ts'

const PAGE = 100

/** A message to be sent. */
export interface Pending {
  /** The same on every attempt, so that receivers recognize a repetition. */
  readonly id: string
  /** The event's sequence number in the bot's page. */
  readonly seq: number
  readonly body: string
}

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'log' | 'keyring'>

/**
 * What others wrote in the group since the webhook's cursor. The bot reads it through sync like a device that
 * was away: in order and in its current form; messages deleted in the meantime are left out.
 */
export async function readPending(
  ctx: Needs,
  hook: BotWebhookRow,
): Promise<{ pending: Pending[]; cursor: string; hasMore: boolean }> {
  const { origin } = jobActor(hook.tenant_id, 'send-webhooks', ctx.ids.next())
  const bot = botActor(hook, origin)
  const page = await readPage(ctx, bot, hook)
  // When a page is read again, skip what was sent before the interruption.
  const sent = page.events.findIndex(({ seq }) => seq === hook.sent_seq)
  const said = page.events.slice(sent + 1).flatMap(({ type, data, seq }) => {
    const message = data as Message
    const isFor =
      type === 'MessageReceived' &&
      message.conversationId === hook.conversation_id &&
      message.senderId !== hook.bot_id &&
      message.deletedAt === null
    return isFor ? [{ message, seq }] : []
  })
  const ids = [...new Set(said.map(({ message }) => message.senderId))]
  const senders = new Map(
    ids.length === 0
      ? []
      : (await listUsersById(ctx.db.read, hook.tenant_id, ids)).map((user) => [user.id, user]),
  )
  const pending = said.map(({ message, seq }) => {
    const sender = senders.get(message.senderId)
    const { displayName } = sender ? shownOf(sender) : {}
    const data = {
      message,
      sender: { id: message.senderId, username: sender?.username, displayName },
      webhook: { id: hook.id, name: hook.name },
    }
    const body = { type: 'message.created', timestamp: message.createdAt, data }
    return { id: message.id, seq, body: JSON.stringify(body) }
  })
  return { pending, cursor: page.cursor, hasMore: page.hasMore }
}

async function readPage(ctx: Needs, bot: UserActor, hook: BotWebhookRow): Promise<SyncPage> {
  const { cursor } = hook
  try {
    return await getChanges(ctx, bot, { limit: PAGE, ...(cursor === null ? {} : { cursor }) })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== syncErrors.cursorExpired.code) throw error
    // After a restore, or a month offline, it is unknown what was missed.
    ctx.log.warn({ webhookId: hook.id }, 'a webhook starts again: its position no longer exists')
    return getChanges(ctx, bot, { limit: PAGE })
  }
}
