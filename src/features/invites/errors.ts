import { defineErrors } from '../../platform/errors.ts'

export const inviteErrors = defineErrors({
  invalidOrExpired: {
    code: 'invalid_or_expired_invitation',
    kind: 'invalid',
    message: 'This invitation is not valid, was used, or has expired.',
  },
  alreadyRedeemed: {
    code: 'already_redeemed',
    kind: 'invalid',
    message: 'This invitation was already used.',
  },
  alreadyExpired: {
    code: 'already_expired',
    kind: 'invalid',
    message: 'This invitation has already expired.',
  },
})
