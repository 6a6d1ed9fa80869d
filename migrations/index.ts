import type { Migration } from '../src/db/migrate.ts'

/**
 * All migrations in order; there never was a 0010. A static list, since a compiled executable cannot scan
 * folders.
 */
export const migrations: readonly Migration[] = [
  { name: '0001-foundation', load: () => import('./0001-foundation.ts') },
  { name: '0002-attachments', load: () => import('./0002-attachments.ts') },
  { name: '0003-message-extras', load: () => import('./0003-message-extras.ts') },
  { name: '0004-accounts-and-mail', load: () => import('./0004-accounts-and-mail.ts') },
  { name: '0005-push', load: () => import('./0005-push.ts') },
  { name: '0006-sync', load: () => import('./0006-sync.ts') },
  { name: '0007-identities', load: () => import('./0007-identities.ts') },
  { name: '0008-calls', load: () => import('./0008-calls.ts') },
  {
    name: '0009-avatars-and-device-names',
    load: () => import('./0009-avatars-and-device-names.ts'),
  },
  { name: '0011-mls', load: () => import('./0011-mls.ts') },
  { name: '0012-access', load: () => import('./0012-access.ts') },
  { name: '0013-signin', load: () => import('./0013-signin.ts') },
  { name: '0014-compliance', load: () => import('./0014-compliance.ts') },
  { name: '0015-nodes', load: () => import('./0015-nodes.ts') },
  { name: '0016-webhooks', load: () => import('./0016-webhooks.ts') },
  { name: '0017-oauth', load: () => import('./0017-oauth.ts') },
  { name: '0018-factor-attempts', load: () => import('./0018-factor-attempts.ts') },
  { name: '0019-grant-ends', load: () => import('./0019-grant-ends.ts') },
  { name: '0020-tenants', load: () => import('./0020-tenants.ts') },
  {
    name: '0021-signed-prunings-named-scopes',
    load: () => import('./0021-signed-prunings-named-scopes.ts'),
  },
  { name: '0022-node-retention', load: () => import('./0022-node-retention.ts') },
  { name: '0023-mls-places', load: () => import('./0023-mls-places.ts') },
  { name: '0024-joined-after', load: () => import('./0024-joined-after.ts') },
  { name: '0025-welcome-fetched', load: () => import('./0025-welcome-fetched.ts') },
  { name: '0026-one-privacy-request', load: () => import('./0026-one-privacy-request.ts') },
  { name: '0027-pruned-place', load: () => import('./0027-pruned-place.ts') },
  { name: '0028-node-bytes', load: () => import('./0028-node-bytes.ts') },
]
