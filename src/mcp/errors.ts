import { defineErrors } from '../platform/errors.ts'

export const mcpErrors = defineErrors({
  foreignOrigin: {
    code: 'foreign_origin',
    kind: 'forbidden',
    message: 'Pages from this origin are not allowed.',
  },
  insufficientScope: {
    code: 'insufficient_scope',
    kind: 'forbidden',
    message: 'The credential does not have this scope.',
  },
})
