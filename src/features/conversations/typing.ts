import type { Ctx } from '../../context.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { mayWrite } from './access.ts'

export interface Typing {
  readonly conversationId: string
  readonly isTyping: boolean
  /** The connection that types does not get it back. */
  readonly connectionId: string
}

/** Tells the conversation that somebody types; from an outsider, or past a block, it is dropped without a word. */
export async function sendTyping(
  ctx: Pick<Ctx, 'db' | 'bus'>,
  actor: Actor,
  input: Typing,
): Promise<void> {
  const me = requireUser(actor)
  const { conversationId, isTyping, connectionId } = input
  if (!(await mayWrite(ctx.db.read, me, conversationId))) return
  ctx.bus.signal({
    audience: { kind: 'conversation', id: conversationId },
    name: 'Typing',
    payload: { conversationId, fromUserId: me.userId, isTyping },
    exceptConnectionId: connectionId,
  })
}
