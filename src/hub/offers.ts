import { isSameCredential, type UserActor } from '../policy/actor.ts'

/** Marks the tokens of resumable connections, so that an unknown one can be told from other tokens. */
const MARK = 'resumable.'

/** Whether a connection token was issued with an offer of stateful reconnect. */
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
 * Offers of stateful reconnect that no WebSocket has taken up. Each opens a connection once: an official
 * client whose connection is gone would otherwise start in the middle of a new one.
 */
export class Offers {
  private readonly perUser: number
  private readonly byUser = new Map<string, Offer[]>()

  constructor(perUser: number) {
    this.perUser = perUser
  }

  /** Makes an offer and returns its connection token; undefined if the user has too many. */
  make(actor: UserActor, id: string, now: number): string | undefined {
    const offers = this.byUser.get(actor.userId) ?? []
    if (offers.length >= this.perUser) return undefined
    const token = MARK + id
    offers.push({ token, actor, madeAt: now })
    this.byUser.set(actor.userId, offers)
    return token
  }

  /** Takes an offer up; returns false if it was not made to this session or key, or is already taken. */
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

  /** Removes the offers made before a tick. */
  expire(before: number): void {
    for (const [userId, offers] of this.byUser) {
      const live = offers.filter((offer) => offer.madeAt >= before)
      if (live.length === 0) this.byUser.delete(userId)
      else if (live.length < offers.length) this.byUser.set(userId, live)
    }
  }
}
