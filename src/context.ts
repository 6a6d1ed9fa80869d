import type { Config } from './config/config.ts'
import type { Database } from './db/database.ts'
import type { Bus } from './events/bus.ts'
import type { CallRegistry } from './features/calls/registry.ts'
import type { PresenceTracker } from './features/presence/tracker.ts'
import type { SessionActivity } from './features/sessions/activity.ts'
import type { TenantHost } from './features/tenants/host.ts'
import type { ClientDocuments } from './outbound/client-documents.ts'
import type { DidResolver } from './outbound/did-resolver.ts'
import type { Mailer } from './outbound/mail.ts'
import type { OidcClient } from './outbound/oidc/client.ts'
import type { PushChannels } from './outbound/push.ts'
import type { Clock } from './platform/clock.ts'
import type { Ids } from './platform/ids.ts'
import type { Keyring } from './platform/keyring.ts'
import type { Logger } from './platform/log.ts'
import type { Metrics } from './platform/metrics.ts'
import type { PasswordHasher } from './platform/password.ts'
import type { AccessControl } from './policy/access-control.ts'
import type { Admission } from './policy/admission.ts'
import type { RateLimiter } from './policy/rate-limit.ts'

/** The dependencies of use cases. A function names the parts it needs with `Pick<Ctx, …>`. */
export interface Ctx {
  /** Which credentials are accepted and what additional roles permit; a reload changes it. */
  readonly access: AccessControl
  readonly config: Config
  readonly db: Database
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  readonly keyring: Keyring
  readonly passwords: PasswordHasher
  readonly bus: Bus
  readonly rateLimiter: RateLimiter
  /** Absent without SMTP settings. */
  readonly mailer: Mailer | undefined
  /** Who has a live connection on this node. */
  readonly presence: PresenceTracker
  readonly push: PushChannels
  readonly dids: DidResolver
  readonly calls: CallRegistry
  readonly admission: Admission
  readonly metrics: Metrics
  readonly activity: SessionActivity
  readonly oidc: OidcClient
  /** The metadata documents of AI clients. */
  readonly clientDocuments: ClientDocuments
  /** Serves the other tenants; only the default tenant has any. */
  readonly tenants: TenantHost
}
