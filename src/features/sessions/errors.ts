import { defineErrors } from '../../platform/errors.ts'

export const sessionErrors = defineErrors({
  invalidCredentials: {
    code: 'invalid_credentials',
    kind: 'unauthenticated',
    message: 'The name or the password is not right.',
  },
  accountNotActive: {
    code: 'account_not_active',
    kind: 'forbidden',
    message: 'This account cannot sign in now.',
  },
  refreshNotActive: {
    code: 'account_not_active',
    kind: 'unauthenticated',
    message: 'This account cannot sign in now.',
  },
  invalidToken: {
    code: 'invalid_token',
    kind: 'unauthenticated',
    message: 'The refresh token is not valid.',
  },
  expiredToken: {
    code: 'expired_token',
    kind: 'unauthenticated',
    message: 'The refresh token has expired.',
  },
  invalidOrExpiredCode: {
    code: 'invalid_or_expired_code',
    kind: 'invalid',
    message: 'The code is not valid, was used, or has expired.',
  },
  tokenReuseDetected: {
    code: 'token_reuse_detected',
    kind: 'unauthenticated',
    message: 'This refresh token was used before; every session of the account was ended.',
  },
})
