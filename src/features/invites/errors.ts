import { definePageErrors } from '../../platform/errors.ts'

export const inviteErrors = definePageErrors({
  invalidOrExpired: {
    code: 'invalid_or_expired_invitation',
    kind: 'invalid',
    message: 'This invitation is not valid, was used, or has expired.',
    translated: { tr: 'Bu davet geçerli değil, kullanılmış ya da süresi dolmuş.' },
  },
  alreadyRedeemed: {
    code: 'already_redeemed',
    kind: 'invalid',
    message: 'This invitation was already used.',
    translated: { tr: 'Bu davet zaten kullanılmış.' },
  },
  alreadyExpired: {
    code: 'already_expired',
    kind: 'invalid',
    message: 'This invitation has already expired.',
    translated: { tr: 'Bu davetin süresi zaten dolmuş.' },
  },
})
