import { defineErrors } from '../../platform/errors.ts'

export const deviceErrors = defineErrors({
  invalidPlatform: {
    code: 'invalid_platform',
    kind: 'invalid',
    message: 'The platform is Android or Ios.',
  },
})
