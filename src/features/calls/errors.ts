import { defineErrors } from '../../platform/errors.ts'

export const callErrors = defineErrors({
  cannotCallSelf: {
    code: 'cannot_call_self',
    kind: 'invalid',
    message: 'You cannot call yourself.',
  },
  notFriends: {
    code: 'not_friends',
    kind: 'forbidden',
    message: 'You can only call friends.',
  },
  callNotFound: {
    code: 'call_not_found',
    kind: 'not_found',
    message: 'This call is over.',
  },
  answeredElsewhere: {
    code: 'call_answered_elsewhere',
    kind: 'conflict',
    message: 'You answered on another device.',
  },
})
