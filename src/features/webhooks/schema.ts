import { z } from 'zod'
import { line, text, uuid } from '../../platform/text.ts'
import type { ConversationId } from '../conversations/schema.ts'
import { Content, SendOptions } from '../messages/schema.ts'

const NAME_MAX = 80
const URL_MAX = 2000

export const WebhookKind = z.enum(['outgoing', 'incoming'])

export const CreateWebhook = z
  .object({
    kind: WebhookKind,
    /** The name of the bot, unless an existing one is used. */
    name: line(1, NAME_MAX),
    /** Outgoing webhooks only: where messages are sent. */
    url: text(1, URL_MAX).optional(),
    /** The bot of another webhook of the group; if omitted, a new one is created. */
    botId: uuid.optional(),
  })
  .refine(({ kind, url }) => (kind === 'outgoing') === (url !== undefined), {
    error: 'an outgoing webhook needs a url, an incoming one has none',
    path: ['url'],
  })
export type CreateWebhook = z.output<typeof CreateWebhook> & ConversationId

const common = {
  id: uuid,
  name: z.string(),
  bot: z.strictObject({ id: uuid, username: z.string() }),
  createdAt: z.iso.datetime(),
}

/** Includes what is shown only once: the URL to post to, or the signing secret. */
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
  /** Outgoing webhooks only. */
  host: z.string().optional(),
  /** `failing`: being retried; `failed`: given up. */
  status: z.enum(['active', 'failing', 'failed']),
  /** When the failures began. */
  failingSince: z.iso.datetime().optional(),
})
export type Webhook = z.output<typeof Webhook>

export const WebhookId = z.object({ id: uuid, webhookId: uuid })
export type WebhookId = z.output<typeof WebhookId>

export const HookToken = z.object({ token: z.string().max(200) })

/** The body posted to an incoming webhook; other fields, such as Slack clients send, are ignored. */
export const HookMessage = z
  .object({
    content: Content.optional(),
    /** The name of the field in Slack's webhooks. */
    text: Content.optional(),
    clientMessageId: SendOptions.shape.clientMessageId,
  })
  .transform(({ content, text, clientMessageId }, context) => {
    const said = content ?? text
    if (said !== undefined) return { content: said, clientMessageId }
    context.addIssue({ code: 'custom', path: ['content'], message: 'is needed, or text' })
    return z.NEVER
  })

export const Posted = z.strictObject({
  id: uuid,
  conversationId: uuid,
  createdAt: z.iso.datetime(),
})
export type Posted = z.output<typeof Posted>

/** A bot as shown to the operator. */
export interface Bot {
  readonly id: string
  readonly username: string
  readonly name: string | null
  readonly status: string
  readonly createdAt: string
  readonly groups: number
  readonly webhooks: number
  /** Webhooks that are being retried or were given up. */
  readonly failing: number
}
