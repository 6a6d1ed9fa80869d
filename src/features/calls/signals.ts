import type { Ctx } from '../../context.ts'
import type { UserActor } from '../../policy/actor.ts'
import type { Call, CallSignal, Party } from './registry.ts'

type Needs = Pick<Ctx, 'bus' | 'calls'>

/** Why an unanswered call ended; old clients ignore the reason. */
export type Reason =
  | 'busy'
  | 'calling_you'
  | 'answered_elsewhere'
  | 'rejected_elsewhere'
  | 'no_answer'
  | 'server_stopping'

/** A device is one sign-in, however many connections it has. */
export function deviceOf(actor: UserActor): string {
  return actor.sessionId ?? actor.userId
}

/** Sends to all devices of a person, optionally except the connection that caused it. */
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

/**
 * Sends to all devices of a person in a call; if the one in the call is away, it
 * gets the signal when it is back.
 */
export function tellParty(ctx: Needs, party: Party, signal: CallSignal): void {
  tellUser(ctx, party.userId, signal)
  if (party.awaySince !== undefined) ctx.calls.keep(party.kept, signal)
}

/** Rings at one connection of the called person, with the candidates sent so far. */
export function ringConnection(ctx: Needs, call: Call, connectionId: string): void {
  const offer: CallSignal = { name: 'IncomingCall', payload: call.offer }
  for (const signal of [offer, ...call.candidates]) {
    tellConnection(ctx, call.calleeId, connectionId, signal)
  }
}

export function ended(fromUserId: string, reason?: Reason): CallSignal {
  return { name: 'CallEnded', payload: { fromUserId, ...(reason ? { reason } : {}) } }
}

export function rejected(fromUserId: string, reason: Reason): CallSignal {
  return { name: 'CallRejected', payload: { fromUserId, reason } }
}
