import { defineErrors } from '../../platform/errors.ts'

export const roleErrors = defineErrors({
  unknownRole: {
    code: 'unknown_role',
    kind: 'not_found',
    message: 'There is no such role: use a built-in one, or one from MIMIR_RBAC_CONFIG.',
  },
  notGranted: {
    code: 'role_not_granted',
    kind: 'conflict',
    message: 'The account does not have this role.',
  },
  alreadyGranted: {
    code: 'role_already_granted',
    kind: 'conflict',
    message: 'The account already has this role.',
  },
})
