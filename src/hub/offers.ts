import { isSameCredential, type UserActor } from '../policy/actor.ts'

/** Marks the tokens of connections that can be resumed, so that a forgotten one is told from others. */
const MARK = 'resumable.'

/** Whether a connection token was given out together with an offer of stateful reconnect. */
export function isResumable(token: string | null): token is string {
  return token?.startsWith(MARK) ?? false
}

interface Offer {
  readonly token: string
  /** Who it was made to. */
  readonly actor: UserActor
  readonly madeAt: number
}

/**
 * Offers of stateful reconnect that no WebSocket has taken up. Only who took one up may come back with
 * its token: an official client whose connection is gone would otherwise start in its middle.
 */
export class Offers {
  private readonly perUser: number
  private readonly byUser = new Map<string, Offer[]>()

  constructor(perUser: number) {
    this.perUser = perUser
  }

  /** The connection token of a new offer; undefined for a user who has enough of them. */
  make(actor: UserActor, id: string, now: number): string | undefined {
    const offers = this.byUser.get(actor.userId) ?? []
    if (offers.length >= this.perUser) return undefined
    const token = MARK + id
    offers.push({ token, actor, madeAt: now })
    this.byUser.set(actor.userId, offers)
    return token
  }

  /** Whether this was offered to that session or key and not taken up since; from now on it is. */
  take(actor: UserActor, token: string): boolean {
    const offers = this.byUser.get(actor.userId) ?? []
    const index = offers.findIndex(
      (offer) => offer.token === token && isSameCredential(offer.actor, actor),
    )
    if (index === -1) return false
    offers.splice(index, 1)
    if (offers.length === 0) this.byUser.delete(actor.userId)
    return true
  }

  /** Forgets what was offered before a time. */
  expire(before: number): void {
    for (const [userId, offers] of this.byUser) {
      const live = offers.filter((offer) => offer.madeAt >= before)
      if (live.length === 0) this.byUser.delete(userId)
      else if (live.length < offers.length) this.byUser.set(userId, live)
    }
  }
}
