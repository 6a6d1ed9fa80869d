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
  mfaRequired: {
    code: 'mfa_required',
    kind: 'unauthenticated',
    message:
      'This account needs a second step to sign in: use the newest app, or sign in on the web.',
  },
  mfaEnrolmentRequired: {
    code: 'mfa_enrolment_required',
    kind: 'unauthenticated',
    message: 'Your role needs a second factor: sign in on the web and set one up first.',
  },
  invalidChallenge: {
    code: 'invalid_or_expired_challenge',
    kind: 'unauthenticated',
    message: 'This sign-in was used, took too long or is not valid any more: start again.',
  },
  tokenReuseDetected: {
    code: 'token_reuse_detected',
    kind: 'unauthenticated',
    message: 'This refresh token was used before; every session of the account was ended.',
  },
})
