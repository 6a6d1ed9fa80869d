import { defineErrors } from '../../platform/errors.ts'

export const accountErrors = defineErrors({
  registrationFailed: {
    code: 'registration_failed',
    kind: 'invalid',
    message: 'The account cannot be made with these details.',
  },
  missingToken: { code: 'missing_token', kind: 'invalid', message: 'The link has no token.' },
  invalidOrExpiredToken: {
    code: 'invalid_or_expired_token',
    kind: 'invalid',
    message: 'The link is not valid, was used, or has expired.',
  },
  invalidState: {
    code: 'invalid_state',
    kind: 'invalid',
    message: 'The account does not wait for this step.',
  },
  currentPasswordIncorrect: {
    code: 'current_password_incorrect',
    kind: 'invalid',
    message: 'The current password is not right.',
  },
  passwordTooCommon: {
    code: 'password_too_common',
    kind: 'invalid',
    message: 'This password is one of those that are tried first: choose another.',
  },
  newPasswordSameAsCurrent: {
    code: 'new_password_same_as_current',
    kind: 'invalid',
    message: 'The new password is the current one.',
  },
  noMailServer: {
    code: 'no_mail_server',
    kind: 'conflict',
    message: 'This server sends no mail, so the address cannot be confirmed.',
  },
  userNotPending: {
    code: 'user_not_pending',
    kind: 'invalid',
    message: 'This account does not wait for approval.',
  },
  invalidDecision: {
    code: 'invalid_decision',
    kind: 'invalid',
    message: 'The decision is one of approve, reject and suspend.',
  },
  lastAdmin: {
    code: 'last_admin',
    kind: 'conflict',
    message: 'This is the last administrator: make another one first.',
  },
  notSuspended: {
    code: 'user_not_suspended',
    kind: 'invalid',
    message: 'This account is not suspended.',
  },
  notEmpty: {
    code: 'accounts_exist',
    kind: 'conflict',
    message: 'There are accounts already: the first administrator was made before.',
  },
  notService: {
    code: 'name_taken',
    kind: 'conflict',
    message: 'The name belongs to an account that is no service.',
  },
  isService: {
    code: 'account_is_a_service',
    kind: 'conflict',
    message: 'A service has no other role: grant it roles of MIMIR_RBAC_CONFIG.',
  },
  userNotFound: {
    code: 'user_not_found',
    kind: 'not_found',
    message: 'There is no such user.',
  },
})
