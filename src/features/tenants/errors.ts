import { defineErrors } from '../../platform/errors.ts'

export const tenantErrors = defineErrors({
  off: {
    code: 'multi_tenancy_off',
    kind: 'conflict',
    message: 'The server has only one tenant: MIMIR_ENABLE_MULTI_TENANCY is not true.',
  },
  notHere: {
    code: 'not_the_default_tenant',
    kind: 'conflict',
    message: 'Only the default tenant manages the others.',
  },
  notFound: { code: 'tenant_not_found', kind: 'not_found', message: 'There is no such tenant.' },
  exists: { code: 'tenant_exists', kind: 'conflict', message: 'This tenant already exists.' },
  directoryTaken: {
    code: 'tenant_directory_taken',
    kind: 'conflict',
    message: 'Something is in the tenant’s place: check it, then move it away.',
  },
  hostTaken: {
    code: 'host_taken',
    kind: 'conflict',
    message: 'Another tenant answers at one of these hosts.',
  },
  claimTaken: {
    code: 'claim_taken',
    kind: 'conflict',
    message: 'Another tenant already uses one of these claims.',
  },
  stillEnabled: {
    code: 'tenant_enabled',
    kind: 'conflict',
    message: 'Disable the tenant before you delete it.',
  },
  inUse: {
    code: 'data_directory_in_use',
    kind: 'conflict',
    message: 'Another command is using this tenant.',
  },
  unknownHost: {
    code: 'unknown_host',
    kind: 'not_found',
    message: 'No tenant answers at this host.',
  },
  required: {
    code: 'tenant_required',
    kind: 'forbidden',
    message: 'The request does not name its tenant.',
  },
  unknown: { code: 'unknown_tenant', kind: 'forbidden', message: 'There is no such tenant.' },
  disabled: {
    code: 'tenant_disabled',
    kind: 'forbidden',
    message: 'This tenant is disabled.',
  },
  unavailable: {
    code: 'tenant_unavailable',
    kind: 'unavailable',
    message: 'This tenant is unavailable right now.',
  },
})
