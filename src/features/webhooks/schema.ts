import { z } from 'zod'
import { line, text, uuid } from '../../platform/text.ts'
import type { ConversationId } from '../conversations/schema.ts'
import { CLIENT_MESSAGE_ID_MAX, Content } from '../messages/schema.ts'

const NAME_MAX = 80
const URL_MAX = 2000

export const WebhookKind = z.enum(['outgoing', 'incoming'])

export const CreateWebhook = z
  .object({
    kind: WebhookKind,
    /** What the bot is called, unless there is one already. */
    name: line(1, NAME_MAX),
    /** Of an outgoing one: where messages are sent to. */
    url: text(1, URL_MAX).optional(),
    /** The bot of another webhook of the group; left out: a new one. */
    botId: uuid.optional(),
  })
  .refine(({ kind, url }) => (kind === 'outgoing') === (url !== undefined), {
    error: 'an outgoing webhook has a url, an incoming one none',
    path: ['url'],
  })
export type CreateWebhook = z.output<typeof CreateWebhook> & ConversationId

const common = {
  id: uuid,
  name: z.string(),
  bot: z.strictObject({ id: uuid, username: z.string() }),
  createdAt: z.iso.datetime(),
}

/** With what is shown this once: the address to post to, or the secret that signs. */
export const MadeWebhook = z.strictObject({
  ...common,
  kind: WebhookKind,
  url: z.string().optional(),
  secret: z.string().optional(),
})
export type MadeWebhook = z.output<typeof MadeWebhook>

export const Webhook = z.strictObject({
  ...common,
  kind: WebhookKind,
  createdById: uuid,
  /** Of an outgoing one. */
  host: z.string().optional(),
  /** `failing` is tried again; `failed` was given up. */
  status: z.enum(['active', 'failing', 'failed']),
  /** Since when it fails. */
  failingSince: z.iso.datetime().optional(),
})
export type Webhook = z.output<typeof Webhook>

export const WebhookId = z.object({ id: uuid, webhookId: uuid })
export type WebhookId = z.output<typeof WebhookId>

export const HookToken = z.object({ token: z.string().max(200) })

/** What is posted to an incoming webhook; other fields, as Slack's senders add them, say nothing. */
export const HookMessage = z
  .object({
    content: Content.optional(),
    /** What Slack's webhooks call it. */
    text: Content.optional(),
    clientMessageId: text(1, CLIENT_MESSAGE_ID_MAX).optional(),
  })
  .transform(({ content, text, clientMessageId }) => ({
    content: content ?? text,
    clientMessageId,
  }))

export const Posted = z.strictObject({
  id: uuid,
  conversationId: uuid,
  createdAt: z.iso.datetime(),
})
export type Posted = z.output<typeof Posted>

/** A bot as the operator sees it. */
export interface Bot {
  readonly id: string
  readonly username: string
  readonly name: string | null
  readonly status: string
  readonly createdAt: string
  readonly groups: number
  readonly webhooks: number
  /** Webhooks that cannot be delivered, or were given up. */
  readonly failing: number
}
