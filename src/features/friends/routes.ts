import { z } from 'zod'
import { Answer, defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { friendErrors } from './errors.ts'
import {
  Friend,
  FriendId,
  FriendRequest,
  FriendRequestId,
  Resubmitted,
  SendFriendRequest,
} from './schema.ts'
import {
  acceptFriendRequest,
  getFriends,
  getPendingRequests,
  rejectFriendRequest,
  removeFriend,
  sendFriendRequest,
} from './service.ts'

export const routes = [
  defineRoute({
    method: 'post',
    path: '/api/friends/requests',
    summary: 'Ask the owner of a friend key to be friends',
    permission: 'friends:write',
    rate: 'friend-request',
    body: SendFriendRequest,
    status: 201,
    output: FriendRequest,
    also: { 200: Resubmitted },
    errors: [
      friendErrors.friendKeyNotFound,
      friendErrors.cannotFriendSelf,
      friendErrors.alreadyFriends,
      friendErrors.requestAlreadyPending,
    ],
    run: async (ctx, actor, input) => {
      const { request, reopened } = await sendFriendRequest(ctx, actor, input)
      return reopened ? new Answer(200, { status: 'resubmitted' }) : request
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/friends/requests/pending',
    summary: 'Requests that wait for an answer, yours and to you',
    permission: 'friends:read',
    rate: 'unlimited',
    status: 200,
    output: z.array(FriendRequest),
    run: getPendingRequests,
  }),
  defineRoute({
    method: 'post',
    path: '/api/friends/requests/{id}/accept',
    summary: 'Accept a request',
    permission: 'friends:write',
    rate: 'unlimited',
    params: FriendRequestId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound, friendErrors.notPending],
    run: acceptFriendRequest,
  }),
  defineRoute({
    method: 'post',
    path: '/api/friends/requests/{id}/reject',
    summary: 'Reject a request',
    permission: 'friends:write',
    rate: 'unlimited',
    params: FriendRequestId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound, friendErrors.notPending],
    run: rejectFriendRequest,
  }),
  defineRoute({
    method: 'get',
    path: '/api/friends',
    summary: 'Your friends',
    permission: 'friends:read',
    rate: 'unlimited',
    status: 200,
    output: z.array(Friend),
    run: getFriends,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/friends/{userId}',
    summary: 'End a friendship',
    permission: 'friends:write',
    rate: 'unlimited',
    params: FriendId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound],
    run: removeFriend,
  }),
]
