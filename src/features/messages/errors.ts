import { commonErrors, defineErrors } from '../../platform/errors.ts'

export const messageErrors = defineErrors({
  notYourMessage: { ...commonErrors.forbidden, message: 'This is not your message.' },
})
