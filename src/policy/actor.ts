import { AppError, commonErrors } from '../platform/errors.ts'
import type { Language } from '../platform/language.ts'
import type { Permissions } from './access-control.ts'
import type { CredentialKind } from './credential.ts'
import { accessErrors, bearerChallenge, unauthenticated, usesAccessCodes } from './errors.ts'
import type { Permission, Requirement, Role } from './permissions.ts'
import { permissionsOf } from './permissions.ts'

/** Where a call came from: what the audit record keeps besides the actor. */
export interface Origin {
  readonly requestId: string
  /** The client's address as reported by trusted proxies; absent for a local command. */
  readonly ip?: string
  readonly userAgent?: string
  /** Language of pages and mail about this call; English if absent. */
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

export type UserActor = Account & CallerCredential

/** The account that a caller acts for. */
export interface Account {
  readonly kind: 'user'
  readonly tenantId: string
  readonly userId: string
  readonly username: string
  readonly role: Role
  /** What roles of `MIMIR_RBAC_CONFIG` permit beyond the account's own. */
  readonly grants?: Permissions
  readonly origin: Origin
}

/** What a caller presented, with what that kind of credential carries. */
export type CallerCredential =
  /** Nothing: the server acts for the account by itself, or its security is switched off. */
  | Carrying<undefined>
  /** Access tokens of earlier servers may name no session. */
  | Carrying<'access-token', never, 'sessionId' | 'claimedRoles'>
  | Carrying<'session-cookie', 'sessionId' | 'validUntil', 'claimedRoles'>
  /** A key of the environment has neither scopes nor an end. */
  | Carrying<'api-key', 'keyId', 'scopes' | 'hasDefaultScopes' | 'validUntil'>
  | Carrying<'jwt', 'claimedRoles' | 'validUntil', 'scopes'>
  | Carrying<'oauth-token', 'scopes' | 'validUntil'>
  | Carrying<'atproto'>

/** A kind of credential with the fields that it always has, those that it may have, and no others. */
type Carrying<
  Kind extends CredentialKind | undefined,
  Has extends keyof Carried = never,
  May extends keyof Carried = never,
> = (Kind extends undefined ? { readonly credential?: Kind } : { readonly credential: Kind }) &
  Pick<Carried, Has> &
  Partial<Pick<Carried, May>> & {
    readonly [Field in Exclude<keyof Carried, Has | May>]?: undefined
  }

interface Carried {
  /** The sign-in at this server that the credential comes from. */
  readonly sessionId: string
  readonly keyId: string
  /** Names of roles that the credential itself carries, for example in the claims of a token. */
  readonly claimedRoles: readonly string[]
  /** Restricts what the roles permit to these permissions; absent: no restriction. */
  readonly scopes: ReadonlySet<Permission>
  /** Whether the scopes are the defaults of a key that was created without naming any. */
  readonly hasDefaultScopes: boolean
  /** When the credential expires, in milliseconds; connections that it opened end then too. */
  readonly validUntil: number
}

/** The administrator at the command line, who owns the data directory; also the server acting by itself. */
export interface OperatorActor {
  readonly kind: 'operator'
  readonly tenantId: string
  readonly origin: Origin
}

export function operatorActor(
  tenantId: string,
  operation: string,
  requestId: string,
): OperatorActor {
  return { kind: 'operator', tenantId, origin: { requestId, operation } }
}

/** The server itself, for scheduled jobs. */
export function jobActor(tenantId: string, job: string, requestId: string): OperatorActor {
  return operatorActor(tenantId, `job:${job}`, requestId)
}

/**
 * Decides, for every transport, whether the caller may run the operation at all; its slice decides about
 * the resource. `changes`: whether the operation changes something. Where being signed in is enough,
 * a program acting for an account may only read, unless it holds `privacy:self`.
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

/** Throws unless the caller holds the permission, with the error codes that the caller knows. */
function requirePermission(actor: UserActor, permission: Permission): void {
  if (mayUse(actor, permission)) return
  const audit = { reason: `without ${permission}` }
  if (!isProgram(actor) && !usesAccessCodes(actor.origin.operation)) {
    throw new AppError(commonErrors.forbidden, {}, { audit })
  }
  // If only the credential's scope is too narrow, a wider one helps (RFC 6750 §3.1).
  const isTooNarrow = isPermitted(actor, permission)
  const challenge = bearerChallenge('insufficient_scope', permission)
  throw new AppError(
    accessErrors.insufficientPermission,
    { permission },
    { audit, ...(isTooNarrow ? { challenge } : {}) },
  )
}

/** Whether both the roles and the credential allow it. */
export function mayUse(actor: Actor, permission: Permission): boolean {
  if (actor.kind !== 'user') return actor.kind === 'operator'
  return isPermitted(actor, permission) && (actor.scopes?.has(permission) ?? true)
}

function isPermitted({ role, grants }: UserActor, permission: Permission): boolean {
  return permissionsOf(role).has(permission) || (grants?.has(permission) ?? false)
}

/** Whether the caller is a program with its own key or token rather than a person's client. */
export function isProgram({ credential }: UserActor): boolean {
  return credential === 'api-key' || credential === 'jwt' || credential === 'oauth-token'
}

/** Whether both authenticated with the same session or key. */
export function isSameCredential(a: UserActor, b: UserActor): boolean {
  const isSamePerson = a.tenantId === b.tenantId && a.userId === b.userId
  return isSamePerson && a.sessionId === b.sessionId && a.keyId === b.keyId
}

/** The language to address the caller in. */
export function languageOf({ origin }: Actor): Language {
  return origin.language ?? 'en'
}

/** Returns the caller as a user; throws `unauthorized` for any other actor. */
export function requireUser(actor: Actor): UserActor {
  if (actor.kind !== 'user') throw new AppError(commonErrors.unauthorized)
  return actor
}
