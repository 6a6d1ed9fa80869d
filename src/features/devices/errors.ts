import { defineErrors } from '../../platform/errors.ts'

export const deviceErrors = defineErrors({
  invalidPlatform: {
    code: 'invalid_platform',
    kind: 'invalid',
    message: 'The platform must be Android or Ios.',
  },
  invalidPushEndpoint: {
    code: 'invalid_push_endpoint',
    kind: 'invalid',
    message: 'A push service’s address must be a public https URL.',
  },
})
