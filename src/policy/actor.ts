import { AppError, commonErrors } from '../platform/errors.ts'
import type { Language } from '../platform/language.ts'
import type { Permissions } from './access-control.ts'
import type { CredentialKind } from './credential.ts'
import { accessErrors, bearerChallenge, unauthenticated, usesAccessCodes } from './errors.ts'
import type { Permission, Requirement, Role } from './permissions.ts'
import { permissionsOf } from './permissions.ts'

/** Where a call came from: what the audit record keeps beside the actor. */
export interface Origin {
  readonly requestId: string
  /** The client's address as the trusted proxies tell it; absent for a local command. */
  readonly ip?: string
  readonly userAgent?: string
  /** What a page or a letter about this call is written in; absent: English. */
  readonly language?: Language
  /** Route template, hub method or command: never a path with ids or a query. */
  readonly operation: string
}

/** Who calls a use case. */
export type Actor = AnonymousActor | UserActor | OperatorActor

export interface AnonymousActor {
  readonly kind: 'anonymous'
  readonly tenantId: string
  readonly origin: Origin
}

export interface UserActor {
  readonly kind: 'user'
  readonly tenantId: string
  readonly userId: string
  readonly username: string
  readonly role: Role
  /** Absent in a token that no sign-in of this server made. */
  readonly sessionId?: string
  /** The API key that was shown; absent: something else was. */
  readonly keyId?: string
  /** What the caller showed; absent: an access token. */
  readonly credential?: CredentialKind
  /** Names of roles that the credential itself brings, for example from the claims of a token. */
  readonly claimedRoles?: readonly string[]
  /** What roles of `MIMIR_RBAC_CONFIG` permit beyond the account's own. */
  readonly grants?: Permissions
  /** What the credential allows of what the roles permit; absent: all of it. */
  readonly scopes?: ReadonlySet<Permission>
  /** Nobody named the scopes: they are what a key gets without a word. */
  readonly hasDefaultScopes?: boolean
  /** When the credential ends, in milliseconds; a connection that it opened ends with it. */
  readonly validUntil?: number
  readonly origin: Origin
}

/** The administrator at the command line, who owns the data directory. */
export interface OperatorActor {
  readonly kind: 'operator'
  readonly tenantId: string
  readonly origin: Origin
}

/** The server itself, for what it does by the clock. */
export function jobActor(tenantId: string, job: string, requestId: string): OperatorActor {
  return { kind: 'operator', tenantId, origin: { requestId, operation: `job:${job}` } }
}

/**
 * The one decision "may this caller run that operation at all?", on every transport; rights on a resource
 * are its slice's. `changes` says whether it changes something: a program that acts for an account may
 * look at it by being signed in, and changes it only with `privacy:self`.
 */
export function authorize(actor: Actor, requirement: Requirement, changes = true): void {
  if (requirement === 'public' || requirement === 'anyone') return
  switch (actor.kind) {
    case 'operator':
      return
    case 'anonymous':
      throw unauthenticated(actor.origin.operation)
    case 'user':
      authorizeUser(actor, requirement, changes)
  }
}

function authorizeUser(
  actor: UserActor,
  requirement: Permission | 'signed-in',
  changes: boolean,
): void {
  if (requirement !== 'signed-in') requirePermission(actor, requirement)
  else if (changes && isProgram(actor)) requirePermission(actor, 'privacy:self')
}

/** Throws unless the caller holds the permission, in the codes that the caller knows. */
function requirePermission(actor: UserActor, permission: Permission): void {
  if (mayUse(actor, permission)) return
  const audit = { reason: `without ${permission}` }
  if (!isProgram(actor) && !usesAccessCodes(actor.origin.operation)) {
    throw new AppError(commonErrors.forbidden, {}, { audit })
  }
  // Where only the credential is too narrow, a wider one helps (RFC 6750 §3.1).
  const isTooNarrow = isPermitted(actor, permission)
  const challenge = bearerChallenge('insufficient_scope', permission)
  throw new AppError(
    accessErrors.insufficientPermission,
    { permission },
    { audit, ...(isTooNarrow ? { challenge } : {}) },
  )
}

/** Whether roles and credential together allow it. */
export function mayUse(actor: Actor, permission: Permission): boolean {
  if (actor.kind !== 'user') return actor.kind === 'operator'
  return isPermitted(actor, permission) && (actor.scopes?.has(permission) ?? true)
}

function isPermitted({ role, grants }: UserActor, permission: Permission): boolean {
  return permissionsOf(role).has(permission) || (grants?.has(permission) ?? false)
}

/** Whether a program calls, by a key or token of its own, and not a person's own client. */
export function isProgram({ credential }: UserActor): boolean {
  return credential === 'api-key' || credential === 'jwt' || credential === 'oauth-token'
}

/** Whether both came by one and the same session or key. */
export function isSameCredential(a: UserActor, b: UserActor): boolean {
  const isSamePerson = a.tenantId === b.tenantId && a.userId === b.userId
  return isSamePerson && a.sessionId === b.sessionId && a.keyId === b.keyId
}

/** What the caller is spoken to in. */
export function languageOf({ origin }: Actor): Language {
  return origin.language ?? 'en'
}

/** The caller as a person; a use case that needs one says so by calling this. */
export function requireUser(actor: Actor): UserActor {
  if (actor.kind !== 'user') throw new AppError(commonErrors.unauthorized)
  return actor
}
