import { defineErrors } from '../../platform/errors.ts'

export const attachmentErrors = defineErrors({
  notFound: {
    code: 'attachment_not_found',
    kind: 'not_found',
    message: 'An attachment is not there, or not yours to send.',
  },
  alreadySent: {
    code: 'already_sent',
    kind: 'conflict',
    message: 'The attachment was sent: delete the message instead.',
  },
  quotaExceeded: {
    code: 'quota_exceeded',
    kind: 'too_large',
    message: 'There is no room left for this attachment.',
  },
  uploadCut: {
    code: 'upload_cut',
    kind: 'invalid',
    message: 'The upload ended before its end; nothing was kept.',
  },
  rangeNotSatisfiable: {
    code: 'range_not_satisfiable',
    kind: 'range_not_satisfiable',
    message: 'The attachment has no such part.',
  },
  unreadable: {
    code: 'attachment_unreadable',
    kind: 'internal',
    message: 'This attachment cannot be read.',
  },
})
