import { defineErrors } from '../../platform/errors.ts'

export const retentionErrors = defineErrors({
  holdNotFound: {
    code: 'hold_not_found',
    kind: 'not_found',
    message: 'There is no such legal hold, or it was lifted.',
  },
  subjectNotFound: {
    code: 'subject_not_found',
    kind: 'not_found',
    message: 'There is nothing to hold with this id.',
  },
})
