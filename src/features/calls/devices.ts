import type { Ctx } from '../../context.ts'
import type { UserActor } from '../../policy/actor.ts'
import { deviceOf, ringConnection, tellConnection, tellUser } from './signals.ts'

type Needs = Pick<Ctx, 'bus' | 'calls' | 'presence'>

/**
 * Tells a newly connected device what happened to its call while it was away, and rings it for pending
 * calls: a push may have woken it.
 */
export function deviceConnected(ctx: Needs, actor: UserActor, connectionId: string): void {
  for (const signal of ctx.calls.connected(deviceOf(actor))) {
    tellConnection(ctx, actor.userId, connectionId, signal)
  }
  for (const call of ctx.calls.ringingAt(actor.userId)) ringConnection(ctx, call, connectionId)
}

/** Once the person's last connection is gone, ringing must continue by push. */
export function deviceDisconnected(ctx: Needs, actor: UserActor): void {
  ctx.calls.disconnected(deviceOf(actor))
  if (ctx.presence.isOnline(actor.userId)) return
  for (const { offer } of ctx.calls.ringingAt(actor.userId)) {
    tellUser(ctx, actor.userId, { name: 'IncomingCall', payload: offer })
  }
}
