import type { Ctx } from '../../context.ts'
import type { SignalName } from '../../events/names.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { areFriends } from '../friends/access.ts'
import { callErrors } from './errors.ts'

type Needs = Pick<Ctx, 'bus' | 'calls'>

function tell(ctx: Pick<Ctx, 'bus'>, userId: string, name: SignalName, payload: object): void {
  ctx.bus.signal({ audience: { kind: 'user', id: userId }, name, payload })
}

/** Rings a friend. The WebRTC session description passes through and is not kept. */
export async function offerCall(
  ctx: Needs & Pick<Ctx, 'db'>,
  actor: Actor,
  input: { toUserId: string; sdpOffer: string },
): Promise<void> {
  const me = requireUser(actor)
  if (input.toUserId === me.userId) throw new AppError(callErrors.cannotCallSelf)
  if (!(await areFriends(ctx.db.read, me.userId, input.toUserId))) {
    throw new AppError(callErrors.notFriends)
  }
  const offer = { callerId: me.userId, callerUsername: me.username, sdpOffer: input.sdpOffer }
  ctx.calls.offer(me.userId, input.toUserId, offer)
  tell(ctx, input.toUserId, 'IncomingCall', offer)
}

/** Tells a device that connected just now of the calls that still ring: a push may have woken it. */
export function ringAgain(ctx: Needs, actor: UserActor, connectionId: string): void {
  for (const payload of ctx.calls.ringingAt(actor.userId)) {
    ctx.bus.signal({
      audience: { kind: 'user', id: actor.userId },
      name: 'IncomingCall',
      payload,
      toConnectionId: connectionId,
    })
  }
}

/** Takes a call that was offered to the caller of this method; anything else is `call_not_found`. */
export async function answerCall(
  ctx: Needs,
  actor: Actor,
  input: { toUserId: string; sdpAnswer: string },
): Promise<void> {
  const { userId } = requireUser(actor)
  if (!ctx.calls.answer(userId, input.toUserId)) throw new AppError(callErrors.callNotFound)
  tell(ctx, input.toUserId, 'CallAnswered', { answererId: userId, sdpAnswer: input.sdpAnswer })
}

/**
 * Passes a candidate to the other party. Without a call between the two it is dropped in silence, as
 * are the two below: candidates and goodbyes arrive late when both sides hang up at once.
 */
export async function sendIceCandidate(
  ctx: Needs,
  actor: Actor,
  input: { toUserId: string; candidate: string },
): Promise<void> {
  const { userId } = requireUser(actor)
  if (!ctx.calls.between(userId, input.toUserId)) return
  tell(ctx, input.toUserId, 'IceCandidate', { fromUserId: userId, candidate: input.candidate })
}

export async function rejectCall(
  ctx: Needs,
  actor: Actor,
  input: { toUserId: string },
): Promise<void> {
  const { userId } = requireUser(actor)
  if (ctx.calls.end(userId, input.toUserId)) {
    tell(ctx, input.toUserId, 'CallRejected', { fromUserId: userId })
  }
}

export async function endCall(
  ctx: Needs,
  actor: Actor,
  input: { toUserId: string },
): Promise<void> {
  const { userId } = requireUser(actor)
  if (ctx.calls.end(userId, input.toUserId)) {
    tell(ctx, input.toUserId, 'CallEnded', { fromUserId: userId })
  }
}
