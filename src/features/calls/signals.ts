import type { Ctx } from '../../context.ts'
import type { UserActor } from '../../policy/actor.ts'
import type { Call, CallSignal, Party } from './registry.ts'

type Needs = Pick<Ctx, 'bus' | 'calls'>

/** Why a call that was not spoken ends; an old client ends it without knowing why. */
export type Reason =
  | 'busy'
  | 'calling_you'
  | 'answered_elsewhere'
  | 'rejected_elsewhere'
  | 'no_answer'
  | 'server_stopping'

/** A device is one sign-in, however often it connects. */
export function deviceOf(actor: UserActor): string {
  return actor.sessionId ?? actor.userId
}

/** Tells all devices of a person, or all but the connection that caused it. */
export function tellUser(
  ctx: Pick<Ctx, 'bus'>,
  userId: string,
  signal: CallSignal,
  exceptConnectionId?: string,
): void {
  const audience = { kind: 'user', id: userId } as const
  ctx.bus.signal({ audience, ...signal, ...(exceptConnectionId ? { exceptConnectionId } : {}) })
}

export function tellConnection(
  ctx: Pick<Ctx, 'bus'>,
  userId: string,
  toConnectionId: string,
  signal: CallSignal,
): void {
  ctx.bus.signal({ audience: { kind: 'user', id: userId }, ...signal, toConnectionId })
}

/** Tells a person in a call; their device in it hears it later when it has no connection now. */
export function tellParty(ctx: Needs, party: Party, signal: CallSignal): void {
  tellUser(ctx, party.userId, signal)
  if (party.awaySince !== undefined) ctx.calls.keep(party.kept, signal)
}

/** Rings at one connection of the called person, with what followed the offer so far. */
export function ringConnection(ctx: Needs, call: Call, connectionId: string): void {
  for (const signal of [{ name: 'IncomingCall', payload: call.offer }, ...call.candidates]) {
    tellConnection(ctx, call.calleeId, connectionId, signal)
  }
}

export function ended(fromUserId: string, reason?: Reason): CallSignal {
  return { name: 'CallEnded', payload: { fromUserId, ...(reason ? { reason } : {}) } }
}

export function rejected(fromUserId: string, reason: Reason): CallSignal {
  return { name: 'CallRejected', payload: { fromUserId, reason } }
}
