import { defineErrors } from '../../platform/errors.ts'

export const attachmentErrors = defineErrors({
  notFound: {
    code: 'attachment_not_found',
    kind: 'not_found',
    message: 'An attachment does not exist, or is not yours to send.',
  },
  alreadySent: {
    code: 'already_sent',
    kind: 'conflict',
    message: 'The attachment is in use: delete the message or the avatar first.',
  },
  avatarIsNoImage: {
    code: 'avatar_is_no_image',
    kind: 'invalid',
    message: 'An avatar must be an image.',
  },
  avatarTooLarge: {
    code: 'avatar_too_large',
    kind: 'too_large',
    message: 'The image is too large for an avatar.',
  },
  quotaExceeded: {
    code: 'quota_exceeded',
    kind: 'too_large',
    message: 'There is no space left for this attachment.',
  },
  uploadCut: {
    code: 'upload_cut',
    kind: 'invalid',
    message: 'The upload was cut off; nothing was stored.',
  },
  rangeNotSatisfiable: {
    code: 'range_not_satisfiable',
    kind: 'range_not_satisfiable',
    message: 'The attachment has no such range.',
  },
  unreadable: {
    code: 'attachment_unreadable',
    kind: 'internal',
    message: 'This attachment cannot be read.',
  },
})

/** Errors for an upload that cannot become an avatar. */
export const avatarErrors = [
  attachmentErrors.notFound,
  attachmentErrors.avatarIsNoImage,
  attachmentErrors.avatarTooLarge,
  attachmentErrors.unreadable,
]
