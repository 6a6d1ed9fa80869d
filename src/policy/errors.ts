import { defineErrors } from '../platform/errors.ts'

/**
 * Refusals of a caller before any feature is asked. The messenger's own routes keep the codes that their
 * clients know (`commonErrors`); these are for `/auth`, `/mcp` and whoever shows an API key or a
 * token of another issuer.
 */
export const accessErrors = defineErrors({
  twoCredentials: {
    code: 'invalid_request',
    kind: 'invalid',
    message: 'Show one credential, not two.',
  },
  credentialInQuery: {
    code: 'invalid_request',
    kind: 'invalid',
    message: 'A credential goes into a header, never into the address.',
  },
})
