import { defineErrors } from '../../platform/errors.ts'

export const appGateErrors = defineErrors({
  appVersionTooOld: {
    code: 'app_version_too_old',
    kind: 'outdated_client',
    message: 'This version of the app is too old: please update it.',
  },
})
