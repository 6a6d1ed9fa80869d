import { AppError, commonErrors } from '../platform/errors.ts'
import type { Language } from '../platform/language.ts'
import type { CredentialKind } from './credential.ts'
import type { Permission, Requirement, Role } from './permissions.ts'
import { permissionsOf } from './permissions.ts'

/** Where a call came from: what the audit record keeps beside the actor. */
export interface Origin {
  readonly requestId: string
  /** The client's address as the trusted proxies tell it; absent for a local command. */
  readonly ip?: string
  readonly userAgent?: string
  /** What a letter about this call is written in; absent: English. */
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
  /** What the caller showed; absent: an access token. */
  readonly credential?: CredentialKind
  /** What the credential allows of what the role allows; absent: all of it. */
  readonly scopes?: ReadonlySet<Permission>
  readonly origin: Origin
}

/** The administrator at the command line, who owns the data directory. */
export interface OperatorActor {
  readonly kind: 'operator'
  readonly tenantId: string
  readonly origin: Origin
}

/** The one decision "may this caller run that operation at all?"; rights on a resource are its slice's. */
export function authorize(actor: Actor, requirement: Requirement): void {
  if (requirement === 'public') return
  switch (actor.kind) {
    case 'operator':
      return
    case 'anonymous':
      throw new AppError(commonErrors.unauthorized)
    case 'user':
      if (requirement === 'signed-in' || holds(actor, requirement)) return
      throw new AppError(
        commonErrors.forbidden,
        {},
        { audit: { reason: `without ${requirement}` } },
      )
  }
}

function holds(actor: UserActor, permission: Permission): boolean {
  return permissionsOf(actor.role).has(permission) && (actor.scopes?.has(permission) ?? true)
}

/** The caller as a person; a use case that needs one says so by calling this. */
export function requireUser(actor: Actor): UserActor {
  if (actor.kind !== 'user') throw new AppError(commonErrors.unauthorized)
  return actor
}
