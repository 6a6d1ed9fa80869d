import { z } from 'zod'
import { argument, defineHubMethod } from '../../hub/define-method.ts'
import { uuid } from '../../platform/text.ts'
import { endCall, rejectCall } from './endings.ts'
import { answerCall, offerCall, sendIceCandidate } from './service.ts'

const toUserId = argument(uuid, 'invalid_user_id')
const sdp = argument(z.string(), 'invalid_sdp')
const candidate = argument(z.string(), 'invalid_candidate')
const options = argument(z.object({ video: z.boolean().nullish() }).nullish(), 'invalid_options')

export const methods = [
  defineHubMethod({
    name: 'OfferCall',
    permission: 'calls:use',
    rate: 'unlimited',
    args: [toUserId, sdp, options],
    optional: 1,
    run: (ctx, actor, [toUserId, sdpOffer, options], { connectionId }) =>
      offerCall(ctx, actor, { toUserId, sdpOffer, video: options?.video ?? false, connectionId }),
  }),
  defineHubMethod({
    name: 'AnswerCall',
    permission: 'calls:use',
    rate: 'unlimited',
    args: [toUserId, sdp],
    run: (ctx, actor, [toUserId, sdpAnswer], { connectionId }) =>
      answerCall(ctx, actor, { toUserId, sdpAnswer, connectionId }),
  }),
  defineHubMethod({
    name: 'SendIceCandidate',
    permission: 'calls:use',
    rate: 'unlimited',
    args: [toUserId, candidate],
    run: (ctx, actor, [toUserId, candidate]) =>
      sendIceCandidate(ctx, actor, { toUserId, candidate }),
  }),
  defineHubMethod({
    name: 'RejectCall',
    permission: 'calls:use',
    rate: 'unlimited',
    args: [toUserId],
    run: (ctx, actor, [toUserId], { connectionId }) =>
      rejectCall(ctx, actor, { toUserId, connectionId }),
  }),
  defineHubMethod({
    name: 'EndCall',
    permission: 'calls:use',
    rate: 'unlimited',
    args: [toUserId],
    run: (ctx, actor, [toUserId], { connectionId }) =>
      endCall(ctx, actor, { toUserId, connectionId }),
  }),
]
