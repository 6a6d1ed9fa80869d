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
    message: 'You can call friends only.',
  },
  callNotFound: {
    code: 'call_not_found',
    kind: 'not_found',
    message: 'There is no such call any more.',
  },
  answeredElsewhere: {
    code: 'call_answered_elsewhere',
    kind: 'conflict',
    message: 'Another of your devices took the call.',
  },
})
