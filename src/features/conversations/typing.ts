import type { Ctx } from '../../context.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { mayWrite } from './access.ts'

export interface Typing {
  readonly conversationId: string
  readonly isTyping: boolean
  /** The typing connection, which does not receive the signal. */
  readonly connectionId: string
}

/** Signals that somebody is typing. Silently dropped for non-members and behind a block. */
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
