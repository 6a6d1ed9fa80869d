import { defineErrors } from '../../platform/errors.ts'

export const subjectErrors = defineErrors({
  noIssuer: {
    code: 'no_issuer',
    kind: 'invalid',
    message: 'Name the issuer, or set MIMIR_OAUTH_ISSUER.',
  },
  taken: {
    code: 'subject_taken',
    kind: 'conflict',
    message: 'This subject already belongs to an account.',
  },
  unknown: {
    code: 'subject_not_found',
    kind: 'not_found',
    message: 'There is no such subject.',
  },
})
