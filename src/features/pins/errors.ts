import { commonErrors, defineErrors } from '../../platform/errors.ts'

export const pinErrors = defineErrors({
  mayNotPin: { ...commonErrors.forbidden, message: 'Only admins pin messages in a group.' },
  tooManyPins: {
    code: 'too_many_pins',
    kind: 'conflict',
    message: 'The conversation has too many pinned messages.',
  },
})
