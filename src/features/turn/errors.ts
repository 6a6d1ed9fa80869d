import { defineErrors } from '../../platform/errors.ts'

export const turnErrors = defineErrors({
  notConfigured: {
    code: 'turn_not_configured',
    kind: 'conflict',
    message: 'No TURN server is configured: set TURN_HOST to its name.',
  },
  noSecret: {
    code: 'turn_secret_missing',
    kind: 'conflict',
    message: 'There is no secret to share with coturn: create one with `mimir turn config`.',
  },
})
