import { defineErrors } from '../../platform/errors.ts'

export const oidcErrors = defineErrors({
  invalidRequest: {
    code: 'invalid_request',
    kind: 'invalid',
    message: 'This sign-in was not begun here, was used before, or took too long: start again.',
  },
  accessDenied: {
    code: 'access_denied',
    kind: 'forbidden',
    message: 'The sign-in was cancelled, or refused by your organisation.',
  },
  signInFailed: {
    code: 'sign_in_failed',
    kind: 'invalid',
    message: 'Your organisation could not sign you in: start again, or ask its help desk.',
  },
  invalidGrant: {
    code: 'invalid_grant',
    kind: 'invalid',
    message: 'Your organisation did not honour this sign-in: start again.',
  },
  invalidToken: {
    code: 'invalid_token',
    kind: 'unauthenticated',
    message: 'What your organisation said about you is not valid.',
  },
  notAdmitted: {
    code: 'not_admitted',
    kind: 'forbidden',
    message: 'You cannot sign in here. To join, open an invitation link first.',
  },
  accountNotActive: {
    code: 'account_not_active',
    kind: 'forbidden',
    message: 'You are registered. An administrator has to let you in first.',
  },
  idpUnavailable: {
    code: 'idp_unavailable',
    kind: 'upstream_failed',
    message: 'Your organisation does not answer; try again later.',
  },
  browserRequired: {
    code: 'browser_required',
    kind: 'conflict',
    message: 'Do this in a browser that is signed in here.',
  },
  identityTaken: {
    code: 'identity_taken',
    kind: 'conflict',
    message: 'This identity belongs to another account.',
  },
  lastSignInMethod: {
    code: 'last_sign_in_method',
    kind: 'conflict',
    message: 'You could not sign in any more: set a password or add a passkey first.',
  },
  invalidLogoutToken: {
    code: 'invalid_request',
    kind: 'invalid',
    message: 'The logout token is not valid.',
  },
})
