import type { Ctx } from '../../context.ts'
import type { UserActor } from '../../policy/actor.ts'
import { deviceOf, ringConnection, tellConnection, tellUser } from './signals.ts'

type Needs = Pick<Ctx, 'bus' | 'calls' | 'presence'>

/**
 * Tells a device that connected just now how its call went on while it was away, and of the calls
 * that ring: a push may have woken it.
 */
export function deviceConnected(ctx: Needs, actor: UserActor, connectionId: string): void {
  for (const signal of ctx.calls.connected(deviceOf(actor))) {
    tellConnection(ctx, actor.userId, connectionId, signal)
  }
  for (const call of ctx.calls.ringingAt(actor.userId)) ringConnection(ctx, call, connectionId)
}

/** With the person's last connection gone, what rings has to go on as a push. */
export function deviceDisconnected(ctx: Needs, actor: UserActor): void {
  ctx.calls.disconnected(deviceOf(actor))
  if (ctx.presence.isOnline(actor.userId)) return
  for (const { offer } of ctx.calls.ringingAt(actor.userId)) {
    tellUser(ctx, actor.userId, { name: 'IncomingCall', payload: offer })
  }
}
