import type { Command } from '../control/define-command.ts'
import { jobs as accountJobs } from '../features/accounts/jobs.ts'
import { routes as accountPages } from '../features/accounts/pages.ts'
import { routes as accounts } from '../features/accounts/routes.ts'
import { commands as adminCommands } from '../features/admin/commands.ts'
import { routes as admin } from '../features/admin/routes.ts'
import { jobs as adminToolJobs } from '../features/admin-tools/jobs.ts'
import { tools as adminTools } from '../features/admin-tools/mcp.ts'
import { commands as apiKeyCommands } from '../features/api-keys/commands.ts'
import { jobs as apiKeyJobs } from '../features/api-keys/jobs.ts'
import { routes as apiKeys } from '../features/api-keys/routes.ts'
import { routes as appGate } from '../features/app-gate/routes.ts'
import { jobs as atprotoJobs } from '../features/atproto/jobs.ts'
import { routes as atproto } from '../features/atproto/routes.ts'
import { jobs as attachmentJobs } from '../features/attachments/jobs.ts'
import { routes as attachments } from '../features/attachments/routes.ts'
import { commands as auditCommands } from '../features/audit/commands.ts'
import { jobs as auditJobs } from '../features/audit/jobs.ts'
import { tools as auditTools } from '../features/audit/mcp.ts'
import { routes as audit } from '../features/audit/routes.ts'
import { routes as authStatus } from '../features/auth-status/routes.ts'
import { methods as callMethods } from '../features/calls/hub.ts'
import { jobs as callJobs } from '../features/calls/jobs.ts'
import { routes as calls } from '../features/calls/routes.ts'
import { methods as conversationMethods } from '../features/conversations/hub.ts'
import { routes as conversations } from '../features/conversations/routes.ts'
import { routes as devices } from '../features/devices/routes.ts'
import { commands as emergencyCommands } from '../features/emergency/commands.ts'
import { jobs as emergencyJobs } from '../features/emergency/jobs.ts'
import { routes as friends } from '../features/friends/routes.ts'
import { routes as health } from '../features/health/routes.ts'
import { commands as inviteCommands } from '../features/invites/commands.ts'
import { routes as invites } from '../features/invites/routes.ts'
import { commands as subjectCommands } from '../features/jwt-bearers/commands.ts'
import { commands as keyCommands } from '../features/keys/commands.ts'
import { commands as mailCommands } from '../features/mail/commands.ts'
import { jobs as mailJobs } from '../features/mail/jobs.ts'
import { methods as messageMethods } from '../features/messages/hub.ts'
import { jobs as messageJobs } from '../features/messages/jobs.ts'
import { tools as messageTools } from '../features/messages/mcp.ts'
import { routes as messages } from '../features/messages/routes.ts'
import { jobs as metricsJobs } from '../features/metrics/jobs.ts'
import { commands as mfaCommands } from '../features/mfa/commands.ts'
import { jobs as mfaJobs } from '../features/mfa/jobs.ts'
import { routes as mfa } from '../features/mfa/routes.ts'
import { commands as mlsCommands } from '../features/mls/commands.ts'
import { jobs as mlsJobs } from '../features/mls/jobs.ts'
import { methods as mlsMethods } from '../features/mls/xrpc.ts'
import { tools as nodeTools } from '../features/nodes/mcp/tools.ts'
import { routes as nodes } from '../features/nodes/routes.ts'
import { routes as consentPages } from '../features/oauth/consent-pages.ts'
import { jobs as oauthJobs } from '../features/oauth/jobs.ts'
import { routes as oauth } from '../features/oauth/routes.ts'
import { jobs as oidcJobs } from '../features/oidc/jobs.ts'
import { routes as oidc } from '../features/oidc/routes.ts'
import { routes as pins } from '../features/pins/routes.ts'
import { routes as presence } from '../features/presence/routes.ts'
import { commands as privacyCommands } from '../features/privacy/commands.ts'
import { jobs as privacyJobs } from '../features/privacy/jobs.ts'
import { routes as privacy } from '../features/privacy/routes.ts'
import { commands as proxyCommands } from '../features/proxy/commands.ts'
import { commands as pushCommands } from '../features/push/commands.ts'
import { jobs as pushJobs } from '../features/push/jobs.ts'
import { routes as push } from '../features/push/routes.ts'
import { methods as reactionMethods } from '../features/reactions/hub.ts'
import { jobs as reactionJobs } from '../features/reactions/jobs.ts'
import { routes as reactions } from '../features/reactions/routes.ts'
import { commands as reportCommands } from '../features/reports/commands.ts'
import { routes as reports } from '../features/reports/routes.ts'
import { commands as retentionCommands } from '../features/retention/commands.ts'
import { jobs as retentionJobs } from '../features/retention/jobs.ts'
import { commands as roleCommands } from '../features/roles/commands.ts'
import { tools as searchTools } from '../features/search/mcp.ts'
import { routes as search } from '../features/search/routes.ts'
import { jobs as sessionJobs } from '../features/sessions/jobs.ts'
import { routes as sessionPages } from '../features/sessions/pages.ts'
import { routes as sessions } from '../features/sessions/routes.ts'
import { routes as signInPages } from '../features/sign-in/pages.ts'
import { methods as syncMethods } from '../features/sync/hub.ts'
import { routes as sync } from '../features/sync/routes.ts'
import { commands as tenantCommands } from '../features/tenants/commands.ts'
import { jobs as tenantJobs } from '../features/tenants/jobs.ts'
import { commands as turnCommands } from '../features/turn/commands.ts'
import { routes as turn } from '../features/turn/routes.ts'
import { routes as users } from '../features/users/routes.ts'
import { commands as webhookCommands } from '../features/webhooks/commands.ts'
import { routes as webhooks } from '../features/webhooks/routes.ts'
import type { AnyRoute } from '../http/define-route.ts'
import type { HubMethod } from '../hub/define-method.ts'
import type { Job } from '../jobs/define-job.ts'
import type { Tool } from '../mcp/define-tool.ts'
import type { AnyXrpcMethod } from '../xrpc/define-method.ts'
import { commands as storeCommands } from './store-commands.ts'
import { jobs as storeJobs } from './store-jobs.ts'

// Everything the slices bring, by transport. A slice that is not listed here does not exist.

export const routes: readonly AnyRoute[] = [
  ...health,
  ...accountPages,
  ...appGate,
  ...accounts,
  ...sessions,
  ...sessionPages,
  ...signInPages,
  ...oidc,
  ...oauth,
  ...consentPages,
  ...mfa,
  ...devices,
  ...push,
  ...friends,
  ...presence,
  ...conversations,
  ...webhooks,
  ...messages,
  ...reactions,
  ...pins,
  ...reports,
  ...search,
  ...attachments,
  ...sync,
  ...users,
  ...calls,
  ...turn,
  ...nodes,
  ...invites,
  ...admin,
  ...apiKeys,
  ...authStatus,
  ...audit,
  ...privacy,
  ...atproto,
]

export const hubMethods: readonly HubMethod[] = [
  ...messageMethods,
  ...reactionMethods,
  ...conversationMethods,
  ...callMethods,
  ...syncMethods,
]

export const tools: readonly Tool[] = [
  ...nodeTools,
  ...messageTools,
  ...searchTools,
  ...adminTools,
  ...auditTools,
]

export const xrpcMethods: readonly AnyXrpcMethod[] = [...mlsMethods]

export const commands = [
  ...adminCommands,
  ...inviteCommands,
  ...mfaCommands,
  ...keyCommands,
  ...apiKeyCommands,
  ...roleCommands,
  ...subjectCommands,
  ...turnCommands,
  ...proxyCommands,
  ...mailCommands,
  ...pushCommands,
  ...reportCommands,
  ...auditCommands,
  ...privacyCommands,
  ...retentionCommands,
  ...emergencyCommands,
  ...mlsCommands,
  ...webhookCommands,
  ...tenantCommands,
  ...storeCommands,
] satisfies readonly Command[]

export const jobs: readonly Job[] = [
  ...pushJobs,
  ...accountJobs,
  ...mailJobs,
  ...auditJobs,
  ...messageJobs,
  ...reactionJobs,
  ...callJobs,
  ...attachmentJobs,
  ...sessionJobs,
  ...oidcJobs,
  ...oauthJobs,
  ...mfaJobs,
  ...apiKeyJobs,
  ...privacyJobs,
  ...retentionJobs,
  ...emergencyJobs,
  ...metricsJobs,
  ...atprotoJobs,
  ...mlsJobs,
  ...adminToolJobs,
  ...tenantJobs,
  ...storeJobs,
]
