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
  deviceNotFound: {
    code: 'not_found',
    kind: 'not_found',
    message: 'There is no such device.',
  },
})
