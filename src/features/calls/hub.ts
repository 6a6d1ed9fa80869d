import { z } from 'zod'
import { defineHubMethod } from '../../hub/define-method.ts'
import { answerCall, endCall, offerCall, rejectCall, sendIceCandidate } from './service.ts'

const toUserId = z.uuid('invalid_user_id').toLowerCase()
const sdp = z.string('invalid_sdp')

export const methods = [
  defineHubMethod({
    name: 'OfferCall',
    permission: 'calls:use',
    rate: 'unlimited',
    args: [toUserId, sdp],
    run: (ctx, actor, [toUserId, sdpOffer]) => offerCall(ctx, actor, { toUserId, sdpOffer }),
  }),
  defineHubMethod({
    name: 'AnswerCall',
    permission: 'calls:use',
    rate: 'unlimited',
    args: [toUserId, sdp],
    run: (ctx, actor, [toUserId, sdpAnswer]) => answerCall(ctx, actor, { toUserId, sdpAnswer }),
  }),
  defineHubMethod({
    name: 'SendIceCandidate',
    permission: 'calls:use',
    rate: 'unlimited',
    args: [toUserId, z.string('invalid_candidate')],
    run: (ctx, actor, [toUserId, candidate]) =>
      sendIceCandidate(ctx, actor, { toUserId, candidate }),
  }),
  defineHubMethod({
    name: 'RejectCall',
    permission: 'calls:use',
    rate: 'unlimited',
    args: [toUserId],
    run: (ctx, actor, [toUserId]) => rejectCall(ctx, actor, { toUserId }),
  }),
  defineHubMethod({
    name: 'EndCall',
    permission: 'calls:use',
    rate: 'unlimited',
    args: [toUserId],
    run: (ctx, actor, [toUserId]) => endCall(ctx, actor, { toUserId }),
  }),
]
