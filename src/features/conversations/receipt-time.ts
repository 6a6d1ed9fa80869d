import { type Clock, toIso } from '../../platform/clock.ts'
import { timeOfId } from '../../platform/ids.ts'

/** Now, but not before the message was sent: a clock may be set back, and those of two nodes differ. */
export function receiptTime(clock: Clock, messageId: string | undefined): string {
  return toIso(Math.max(clock.now(), messageId === undefined ? 0 : timeOfId(messageId)))
}
