import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { areFriends } from '../friends/access.ts'
import { giveUpUnanswered, leave } from './endings.ts'
import { callErrors } from './errors.ts'
import { type Missed, noteMissed } from './missed.ts'
import type { CallSignal } from './registry.ts'
import type { IncomingCall } from './schema.ts'
import {
  deviceOf,
  ended,
  rejected,
  ringConnection,
  tellConnection,
  tellParty,
  tellUser,
} from './signals.ts'

type Needs = Pick<Ctx, 'bus' | 'calls' | 'db' | 'ids' | 'clock'>

export interface Offer {
  readonly toUserId: string
  readonly sdpOffer: string
  readonly video: boolean
  readonly connectionId: string
}

/**
 * Rings a friend on all devices. The WebRTC session description is passed through and not stored.
 * Someone who is already in a call does not ring: the caller's connection gets a rejection, `busy`.
 * Nor does someone who is calling the caller at this moment: the caller's connection gets
 * `calling_you` and the other's offer again.
 */
export async function offerCall(ctx: Needs, actor: Actor, input: Offer): Promise<void> {
  const me = requireUser(actor)
  const { toUserId, connectionId } = input
  if (toUserId === me.userId) throw new AppError(callErrors.cannotCallSelf)
  if (!(await areFriends(ctx.db.read, me.userId, toUserId))) {
    throw new AppError(callErrors.notFriends)
  }
  if (ctx.calls.closed) throw new AppError(commonErrors.shuttingDown)
  const between = ctx.calls.between(me.userId, toUserId)
  if (between !== undefined && between.calleeId === me.userId && between.callee === undefined) {
    tellConnection(ctx, me.userId, connectionId, rejected(toUserId, 'calling_you'))
    ringConnection(ctx, between, connectionId)
    return
  }
  await noteMissed(ctx, ring(ctx, me, input))
}

/**
 * Synchronous, so that no other call can come in between. Returns the calls
 * that were missed because of it.
 */
function ring(ctx: Needs, me: UserActor, input: Offer): Missed[] {
  const { toUserId: calleeId, sdpOffer, video, connectionId } = input
  const device = deviceOf(me)
  const missed = giveUpUnanswered(ctx)
  replace(ctx, me.userId, calleeId, device)
  const offer: IncomingCall = {
    callerId: me.userId,
    callerUsername: me.username,
    sdpOffer,
    ...(video ? { video } : {}),
  }
  const call = { tenantId: me.tenantId, calleeId, offer, offeredAt: ctx.clock.now() }
  if (ctx.calls.isBusy(calleeId)) {
    tellConnection(ctx, me.userId, connectionId, rejected(calleeId, 'busy'))
    return [...missed, { call, reason: 'Busy' }]
  }
  missed.push(...leaveBefore(ctx, device))
  ctx.calls.ring(call, device)
  tellUser(ctx, calleeId, { name: 'IncomingCall', payload: offer })
  return missed
}

/** Ends the call that a new offer between the two replaces, unless another device is in it. */
function replace(ctx: Needs, userId: string, calleeId: string, device: string): void {
  const call = ctx.calls.between(userId, calleeId)
  if (call === undefined) return
  if (call.callee === undefined) {
    // Already ringing: the callee's devices get the newer offer.
    ctx.calls.end(call)
    return
  }
  // Calling the person one is talking to means that the call was lost; so does a device that is long gone.
  const mine = call.caller.userId === userId ? call.caller : call.callee
  if (mine.deviceId === device || !ctx.calls.isBusy(calleeId)) leave(ctx, call, mine.deviceId)
}

/** A device can be in one call only: a new one ends the one before. */
function leaveBefore(ctx: Needs, device: string): Missed[] {
  const before = ctx.calls.ofDevice(device)
  return before === undefined ? [] : leave(ctx, before, device)
}

/** Answers a call that was offered to the actor; throws `call_not_found` for anything else. */
export async function answerCall(
  ctx: Needs,
  actor: Actor,
  input: { toUserId: string; sdpAnswer: string; connectionId: string },
): Promise<void> {
  const me = requireUser(actor)
  const { toUserId, sdpAnswer, connectionId } = input
  const device = deviceOf(me)
  const call = ctx.calls.between(me.userId, toUserId)
  if (call?.calleeId !== me.userId) throw new AppError(callErrors.callNotFound)
  const missed: Missed[] = []
  if (call.callee === undefined) {
    missed.push(...leaveBefore(ctx, device))
    ctx.calls.answer(call, device)
    // The same event as when the caller hangs up, so that old clients stop ringing too.
    tellUser(ctx, me.userId, ended(toUserId, 'answered_elsewhere'), connectionId)
  } else if (call.callee.deviceId !== device) {
    throw new AppError(callErrors.answeredElsewhere)
  }
  const payload = { answererId: me.userId, sdpAnswer }
  tellParty(ctx, call.caller, { name: 'CallAnswered', payload })
  await noteMissed(ctx, missed)
}

/**
 * Passes a candidate to the other party. Silently ignored without a call between the two: candidates may
 * arrive late when both sides hang up at once.
 */
export async function sendIceCandidate(
  ctx: Needs,
  actor: Actor,
  input: { toUserId: string; candidate: string },
): Promise<void> {
  const me = requireUser(actor)
  const call = ctx.calls.between(me.userId, input.toUserId)
  if (call === undefined) return
  const mine = call.caller.userId === me.userId ? call.caller : call.callee
  if (mine !== undefined && mine.deviceId !== deviceOf(me)) return
  const payload = { fromUserId: me.userId, candidate: input.candidate }
  const signal: CallSignal = { name: 'IceCandidate', payload }
  const theirs = mine === call.caller ? call.callee : call.caller
  if (theirs !== undefined) return tellParty(ctx, theirs, signal)
  ctx.calls.keep(call.candidates, signal)
  tellUser(ctx, call.calleeId, signal)
}

/** Ends any call between the two, for example after a block. */
export function endBetween(ctx: Pick<Ctx, 'bus' | 'calls'>, userId: string, otherId: string): void {
  const call = ctx.calls.between(userId, otherId)
  if (call === undefined) return
  ctx.calls.end(call)
  tellUser(ctx, userId, ended(otherId))
  tellUser(ctx, otherId, ended(userId))
}
