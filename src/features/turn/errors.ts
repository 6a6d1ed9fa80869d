import { defineErrors } from '../../platform/errors.ts'

export const turnErrors = defineErrors({
  notConfigured: {
    code: 'turn_not_configured',
    kind: 'conflict',
    message: 'No TURN server is set: set TURN_HOST to its name.',
  },
})
