import { defineErrors } from '../../platform/errors.ts'

export const friendErrors = defineErrors({
  friendKeyNotFound: {
    code: 'friend_key_not_found',
    kind: 'not_found',
    message: 'Nobody has this friend key.',
  },
  cannotFriendSelf: {
    code: 'cannot_friend_self',
    kind: 'invalid',
    message: 'This is your own friend key.',
  },
  cannotBlockSelf: {
    code: 'cannot_block_self',
    kind: 'invalid',
    message: 'You cannot block yourself.',
  },
  alreadyFriends: {
    code: 'already_friends',
    kind: 'invalid',
    message: 'You are already friends.',
  },
  requestAlreadyPending: {
    code: 'request_already_pending',
    kind: 'invalid',
    message: 'There is already a pending request between you.',
  },
  notPending: {
    code: 'not_pending',
    kind: 'invalid',
    message: 'This request was already answered.',
  },
})
