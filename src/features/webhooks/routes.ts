import { z } from 'zod'
import { readForm, readJson } from '../../http/body.ts'
import { Answer, defineRoute } from '../../http/define-route.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { conversationErrors } from '../conversations/errors.ts'
import { ConversationId } from '../conversations/schema.ts'
import { webhookErrors } from './errors.ts'
import { postByWebhook } from './post.ts'
import { CreateWebhook, HookToken, MadeWebhook, Posted, Webhook, WebhookId } from './schema.ts'
import { createWebhook, deleteWebhook, listWebhooks } from './service.ts'

/** Slack clients put more into a message than is read here. */
const MAX_BODY_BYTES = 64 * 1024

export const routes = [
  defineRoute({
    method: 'post',
    path: '/api/conversations/{id}/webhooks',
    summary: 'Create a webhook for a group with its bot; the secrets are shown only once',
    permission: 'conversations:write',
    rate: 'webhook-create',
    params: ConversationId,
    body: CreateWebhook,
    status: 201,
    output: MadeWebhook,
    errors: [
      webhookErrors.onlyInGroups,
      webhookErrors.urlNotAllowed,
      webhookErrors.botNotHere,
      webhookErrors.tooMany,
      conversationErrors.groupFull,
    ],
    run: createWebhook,
  }),
  defineRoute({
    method: 'get',
    path: '/api/conversations/{id}/webhooks',
    summary: 'The webhooks of a group, without their secrets, for its admins',
    permission: 'conversations:read',
    rate: 'unlimited',
    params: ConversationId,
    status: 200,
    output: z.array(Webhook),
    run: listWebhooks,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/conversations/{id}/webhooks/{webhookId}',
    summary: 'Delete a webhook; its bot stays a member',
    permission: 'conversations:write',
    rate: 'unlimited',
    params: WebhookId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound],
    run: deleteWebhook,
  }),
  defineRoute({
    method: 'post',
    path: '/hooks/{token}',
    summary: 'Post a message through an incoming webhook: {content} or {text}, as JSON or a form',
    permission: 'public',
    rate: 'webhook-post',
    params: HookToken,
    bytes: 'request',
    status: 201,
    output: Posted,
    also: { 200: Posted },
    errors: [commonErrors.notFound, commonErrors.invalidJson, commonErrors.payloadTooLarge],
    run: async (ctx, actor, { token }, request) => {
      const body = await readBody(request)
      const { posted, created } = await postByWebhook(ctx, actor, { token, body })
      return created ? posted : new Answer(200, posted)
    },
  }),
]

/** JSON, or a form with the fields themselves or with JSON in `payload`, as Slack clients send it. */
async function readBody(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) {
    return readJson(request, MAX_BODY_BYTES)
  }
  const form = await readForm(request, MAX_BODY_BYTES)
  if (form.payload === undefined) return form
  try {
    return JSON.parse(form.payload)
  } catch (cause) {
    throw new AppError(commonErrors.invalidJson, {}, { cause })
  }
}
