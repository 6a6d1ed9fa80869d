import { defineErrors } from '../../platform/errors.ts'

export const tenantErrors = defineErrors({
  off: {
    code: 'multi_tenancy_off',
    kind: 'conflict',
    message: 'The server has one tenant: MIMIR_ENABLE_MULTI_TENANCY is not true.',
  },
  notHere: {
    code: 'not_the_default_tenant',
    kind: 'conflict',
    message: 'The default tenant alone knows the others.',
  },
  notFound: { code: 'tenant_not_found', kind: 'not_found', message: 'There is no such tenant.' },
  exists: { code: 'tenant_exists', kind: 'conflict', message: 'There is such a tenant already.' },
  directoryTaken: {
    code: 'tenant_directory_taken',
    kind: 'conflict',
    message: 'Something is where the tenant would be: look at it, and take it away.',
  },
  hostTaken: {
    code: 'host_taken',
    kind: 'conflict',
    message: 'Another tenant answers at one of these hosts.',
  },
  claimTaken: {
    code: 'claim_taken',
    kind: 'conflict',
    message: 'Another tenant is called by one of these.',
  },
  stillEnabled: {
    code: 'tenant_enabled',
    kind: 'conflict',
    message: 'A tenant is disabled before it is deleted.',
  },
  inUse: {
    code: 'data_directory_in_use',
    kind: 'conflict',
    message: 'Another command works on this tenant.',
  },
  unknownHost: {
    code: 'unknown_host',
    kind: 'not_found',
    message: 'Nobody answers at this host.',
  },
  required: {
    code: 'tenant_required',
    kind: 'forbidden',
    message: 'The request does not say whose it is.',
  },
  unknown: { code: 'unknown_tenant', kind: 'forbidden', message: 'There is no such tenant.' },
  disabled: {
    code: 'tenant_disabled',
    kind: 'forbidden',
    message: 'This tenant is not served at this time.',
  },
  unavailable: {
    code: 'tenant_unavailable',
    kind: 'unavailable',
    message: 'This tenant cannot be served right now.',
  },
})
