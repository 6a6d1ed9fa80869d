import type { Migration } from '../src/db/migrate.ts'
import * as foundation from './0001-foundation.ts'
import * as attachments from './0002-attachments.ts'
import * as messageExtras from './0003-message-extras.ts'
import * as accountsAndMail from './0004-accounts-and-mail.ts'
import * as push from './0005-push.ts'
import * as sync from './0006-sync.ts'
import * as identities from './0007-identities.ts'
import * as calls from './0008-calls.ts'
import * as avatarsAndDeviceNames from './0009-avatars-and-device-names.ts'
import * as mls from './0011-mls.ts'
import * as access from './0012-access.ts'
import * as signin from './0013-signin.ts'
import * as compliance from './0014-compliance.ts'
import * as nodes from './0015-nodes.ts'
import * as webhooks from './0016-webhooks.ts'
import * as oauth from './0017-oauth.ts'
import * as factorAttempts from './0018-factor-attempts.ts'
import * as grantEnds from './0019-grant-ends.ts'
import * as tenants from './0020-tenants.ts'
import * as signedPrunings from './0021-signed-prunings-named-scopes.ts'
import * as nodeRetention from './0022-node-retention.ts'
import * as mlsPlaces from './0023-mls-places.ts'
import * as joinedAfter from './0024-joined-after.ts'
import * as welcomeFetched from './0025-welcome-fetched.ts'
import * as onePrivacyRequest from './0026-one-privacy-request.ts'
import * as prunedPlace from './0027-pruned-place.ts'
import * as nodeBytes from './0028-node-bytes.ts'

/**
 * All migrations in order; there never was a 0010. A static list, since a compiled executable cannot scan
 * folders.
 */
export const migrations: readonly Migration[] = [
  foundation,
  attachments,
  messageExtras,
  accountsAndMail,
  push,
  sync,
  identities,
  calls,
  avatarsAndDeviceNames,
  mls,
  access,
  signin,
  compliance,
  nodes,
  webhooks,
  oauth,
  factorAttempts,
  grantEnds,
  tenants,
  signedPrunings,
  nodeRetention,
  mlsPlaces,
  joinedAfter,
  welcomeFetched,
  onePrivacyRequest,
  prunedPlace,
  nodeBytes,
]
