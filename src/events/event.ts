import type { UserActor } from '../policy/actor.ts'
import type { CredentialKind } from '../policy/credential.ts'
import type { EventName, SignalName } from './names.ts'

/** Who receives an event: everyone in a conversation, or one person on all devices. */
export type Audience =
  | { readonly kind: 'conversation'; readonly id: string }
  | { readonly kind: 'user'; readonly id: string }

/**
 * A change that a reconnecting client must not miss: stored as a numbered row, delivered after the
 * commit.
 */
export interface AppEvent {
  readonly tenantId: string
  readonly audience: Audience
  /** The name on the wire. */
  readonly name: EventName
  /** Stored in the row: the message, user or session that this is about. */
  readonly subjectId: string
  /** The one argument that live connections get; not stored in the row. */
  readonly payload: unknown
  /** User ids that join the audience before the delivery, or leave it right after. */
  readonly joins?: readonly string[]
  readonly leaves?: readonly string[]
}

/** An event that may be missed (typing, ringing, ICE candidates, presence): delivered now or never. */
export interface Signal {
  readonly audience: Audience
  readonly name: SignalName
  readonly payload: unknown
  /** The connection that caused it, if it must not receive it. */
  readonly exceptConnectionId?: string
  /** If set, the only connection of the person that receives it. */
  readonly toConnectionId?: string
}

/** An order to end connections, for example after a suspension. It is delivered like an event. */
export interface Disconnect {
  /** Absent: everybody's. */
  readonly userId?: string
  /** Only the connections of this session; absent: all of the user's. */
  readonly sessionId?: string
  /** Only those that this API key opened. */
  readonly keyId?: string
  /** Only those that a credential of this kind opened. */
  readonly credential?: CredentialKind
  readonly reason: string
  /** Whether clients are told that they may reconnect at once. */
  readonly mayReturn?: true
}

/** Whether the order ends connections that the actor opened. */
export function concerns(order: Disconnect, actor: UserActor): boolean {
  const { userId, sessionId, keyId, credential } = order
  return (
    (userId === undefined || actor.userId === userId) &&
    (sessionId === undefined || actor.sessionId === sessionId) &&
    (keyId === undefined || actor.keyId === keyId) &&
    (credential === undefined || actor.credential === credential)
  )
}
