import { defineErrors } from '../platform/errors.ts'

export const mcpErrors = defineErrors({
  foreignOrigin: {
    code: 'foreign_origin',
    kind: 'forbidden',
    message: 'Pages of this origin may not call.',
  },
  insufficientScope: {
    code: 'insufficient_scope',
    kind: 'forbidden',
    message: 'The credential was not granted this.',
  },
})
