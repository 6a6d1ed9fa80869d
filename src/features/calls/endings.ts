import type { Ctx } from '../../context.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { type Missed, noteMissed } from './missed.ts'
import type { Call, CallSignal } from './registry.ts'
import { deviceOf, ended, tellParty, tellUser } from './signals.ts'

type Needs = Pick<Ctx, 'bus' | 'calls' | 'db' | 'ids' | 'clock'>

interface Ending {
  readonly toUserId: string
  readonly connectionId: string
}

/** The called person declines. */
export function rejectCall(ctx: Needs, actor: Actor, input: Ending): Promise<void> {
  return finish(ctx, actor, input, 'CallRejected')
}

/** Hangs up, or cancels while it rings. */
export function endCall(ctx: Needs, actor: Actor, input: Ending): Promise<void> {
  return finish(ctx, actor, input, 'CallEnded')
}

/** Silently ignored without a call between the two: both sides may hang up at once. */
async function finish(
  ctx: Needs,
  actor: Actor,
  { toUserId, connectionId }: Ending,
  name: CallSignal['name'],
): Promise<void> {
  const me = requireUser(actor)
  const call = ctx.calls.between(me.userId, toUserId)
  if (call === undefined) return
  const device = deviceOf(me)
  // A call that one device placed or answered cannot be ended by another, which may still be ringing.
  const mine = call.caller.userId === me.userId ? call.caller : call.callee
  if (mine !== undefined && mine.deviceId !== device) return
  const signal: CallSignal = { name, payload: { fromUserId: me.userId } }
  if (mine !== undefined) return noteMissed(ctx, leave(ctx, call, device, signal))
  ctx.calls.end(call)
  tellParty(ctx, call.caller, signal)
  tellUser(ctx, me.userId, ended(call.caller.userId, 'rejected_elsewhere'), connectionId)
}

/** Takes the device out of its call. Returns what the other side missed by that. */
export function leave(
  ctx: Needs,
  call: Call,
  deviceId: string,
  signal = ended(call.caller.deviceId === deviceId ? call.caller.userId : call.calleeId),
): Missed[] {
  ctx.calls.end(call)
  if (call.callee === undefined) {
    tellUser(ctx, call.calleeId, signal)
    return [{ call, reason: 'Cancelled' }]
  }
  tellParty(ctx, call.caller.deviceId === deviceId ? call.callee : call.caller, signal)
  return []
}

/** Ends calls that rang for their full time, or whose caller is gone. */
export async function endUnanswered(ctx: Needs): Promise<void> {
  await noteMissed(ctx, giveUpUnanswered(ctx))
}

/** The same without storing missed calls, which is left to the caller. */
export function giveUpUnanswered(ctx: Needs): Missed[] {
  return giveUp(ctx, ctx.calls.endUnanswered(), 'no_answer')
}

/** A call that rings when the server stops counts as missed, since the next start knows nothing of it. */
export function endAllRinging(ctx: Needs): Promise<void> {
  ctx.calls.closed = true
  return noteMissed(ctx, giveUp(ctx, ctx.calls.endUnanswered(true), 'server_stopping'))
}

function giveUp(
  ctx: Needs,
  calls: readonly Call[],
  why: 'no_answer' | 'server_stopping',
): Missed[] {
  return calls.map((call) => {
    tellParty(ctx, call.caller, ended(call.calleeId, why))
    tellUser(ctx, call.calleeId, ended(call.caller.userId))
    return { call, reason: 'NoAnswer' }
  })
}
