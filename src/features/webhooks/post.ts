import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { parseInput } from '../../platform/parse-input.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { sendMessage } from '../messages/service.ts'
import { botActor } from './bot-actor.ts'
import { HookMessage, type Posted } from './schema.ts'
import { findByToken } from './store.ts'

/**
 * Posts a message as the bot of the token's webhook. An unknown token, a deleted webhook and a bot that is no
 * longer a member get the same error.
 */
export async function postByWebhook(
  ctx: Ctx,
  { origin }: Actor,
  { token, body }: { readonly token: string; readonly body: unknown },
): Promise<{ posted: Posted; created: boolean }> {
  const hook = await findByToken(ctx.db.read, sha256Hex(token))
  if (!hook) throw new AppError(commonErrors.notFound)
  await ctx.rateLimiter.consume('webhook-token', hook.id)
  const input = { conversationId: hook.conversation_id, ...parseInput(HookMessage, body) }
  try {
    const { message, created } = await sendMessage(ctx, botActor(hook, origin), input)
    const { id, conversationId, createdAt } = message
    return { posted: { id, conversationId, createdAt }, created }
  } catch (error) {
    const isOutside = error instanceof AppError && error.kind === 'forbidden'
    throw isOutside ? new AppError(commonErrors.notFound) : error
  }
}
