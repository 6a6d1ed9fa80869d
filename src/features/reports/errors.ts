import { commonErrors, defineErrors } from '../../platform/errors.ts'

export const reportErrors = defineErrors({
  notOpen: { ...commonErrors.notFound, message: 'There is no such open report.' },
})
