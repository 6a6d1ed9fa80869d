import { defineErrors } from '../../platform/errors.ts'

export const deviceErrors = defineErrors({
  invalidPlatform: {
    code: 'invalid_platform',
    kind: 'invalid',
    message: 'The platform is Android or Ios.',
  },
  invalidPushEndpoint: {
    code: 'invalid_push_endpoint',
    kind: 'invalid',
    message: 'The address of a push service is a public https URL.',
  },
})
