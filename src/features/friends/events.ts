import type { AppEvent } from '../../events/event.ts'
import type { FriendRequest, Friendship } from './schema.ts'

function toUser(
  tenantId: string,
  userId: string,
  event: Omit<AppEvent, 'tenantId' | 'audience'>,
): AppEvent {
  return { tenantId, audience: { kind: 'user', id: userId }, ...event }
}

export function friendRequestReceived(
  tenantId: string,
  addresseeId: string,
  request: FriendRequest,
): AppEvent {
  return toUser(tenantId, addresseeId, {
    name: 'FriendRequestReceived',
    subjectId: request.id,
    payload: request,
  })
}

export function friendRequestAccepted(
  tenantId: string,
  requesterId: string,
  request: FriendRequest,
): AppEvent {
  return toUser(tenantId, requesterId, {
    name: 'FriendRequestAccepted',
    subjectId: request.id,
    payload: request,
  })
}

export function friendshipChanged(
  tenantId: string,
  userId: string,
  friendship: Friendship,
): AppEvent {
  return toUser(tenantId, userId, {
    name: 'FriendshipChanged',
    subjectId: friendship.userId,
    payload: friendship,
  })
}
