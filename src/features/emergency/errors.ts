import { defineErrors } from '../../platform/errors.ts'

export const emergencyErrors = defineErrors({
  notLocked: {
    code: 'not_locked_down',
    kind: 'conflict',
    message: 'The server is not locked down.',
  },
  incidentNotFound: {
    code: 'incident_not_found',
    kind: 'not_found',
    message: 'There is no such open incident.',
  },
})
