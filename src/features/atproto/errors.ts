import { defineErrors } from '../../platform/errors.ts'

export const atprotoErrors = defineErrors({
  notAdmitted: {
    code: 'NotAdmitted',
    kind: 'forbidden',
    message: 'This identity has no account here: redeem an invitation with optIn.',
  },
  accountPending: {
    code: 'AccountPending',
    kind: 'forbidden',
    message: 'An administrator has to approve the account.',
  },
  invalidInvitation: {
    code: 'InvalidInvitation',
    kind: 'invalid',
    message: 'This invitation is not valid, was used, or has expired.',
  },
})
