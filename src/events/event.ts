import type { UserActor } from '../policy/actor.ts'
import type { CredentialKind } from '../policy/credential.ts'
import type { EventName, SignalName } from './names.ts'

/** Who hears of an event: everyone in a conversation, or one person on all devices. */
export type Audience =
  | { readonly kind: 'conversation'; readonly id: string }
  | { readonly kind: 'user'; readonly id: string }

/** A change that a reconnecting client must not miss: kept as a row, numbered, delivered after the commit. */
export interface AppEvent {
  readonly tenantId: string
  readonly audience: Audience
  /** The name on the wire. */
  readonly name: EventName
  /** What the row names: the message, the user, the session this is about. */
  readonly subjectId: string
  /** The one argument that live connections get; the row does not keep it. */
  readonly payload: unknown
  /** Changes of who is in the audience, made before the delivery (joins) or right after it (leaves). */
  readonly joins?: readonly string[]
  readonly leaves?: readonly string[]
}

/** What may be missed (typing, ringing, ICE candidates, presence): delivered now or never. */
export interface Signal {
  readonly audience: Audience
  readonly name: SignalName
  readonly payload: unknown
  /** The connection that caused it, when it shall not get it back. */
  readonly exceptConnectionId?: string
  /** The only connection of the person that shall get it. */
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
  /** Whether clients are told that they may come again at once. */
  readonly mayReturn?: true
}

/** Whether what the actor opened is to end. */
export function concerns(order: Disconnect, actor: UserActor): boolean {
  const { userId, sessionId, keyId, credential } = order
  return (
    (userId === undefined || actor.userId === userId) &&
    (sessionId === undefined || actor.sessionId === sessionId) &&
    (keyId === undefined || actor.keyId === keyId) &&
    (credential === undefined || actor.credential === credential)
  )
}
