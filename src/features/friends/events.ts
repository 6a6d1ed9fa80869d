import type { AppEvent } from '../../events/event.ts'
import type { FriendRequest, Friendship } from './schema.ts'

export function friendRequestReceived(
  tenantId: string,
  addresseeId: string,
  request: FriendRequest,
): AppEvent {
  return {
    tenantId,
    audience: { kind: 'user', id: addresseeId },
    name: 'FriendRequestReceived',
    subjectId: request.id,
    payload: request,
  }
}

export function friendRequestAccepted(
  tenantId: string,
  requesterId: string,
  request: FriendRequest,
): AppEvent {
  return {
    tenantId,
    audience: { kind: 'user', id: requesterId },
    name: 'FriendRequestAccepted',
    subjectId: request.id,
    payload: request,
  }
}

export function friendshipChanged(
  tenantId: string,
  userId: string,
  friendship: Friendship,
): AppEvent {
  return {
    tenantId,
    audience: { kind: 'user', id: userId },
    name: 'FriendshipChanged',
    subjectId: friendship.userId,
    payload: friendship,
  }
}
