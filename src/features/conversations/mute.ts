import type { ConversationMemberRow } from '../../db/tables.ts'

/** Stands for a mute without an end: later than any real time. */
export const FOREVER = '9999-12-31T23:59:59.999Z'

/**
 * True if muted indefinitely, the end time if muted until then, null if not muted or the mute has expired.
 */
export function mutedOf(
  { muted_until: until }: Pick<ConversationMemberRow, 'muted_until'>,
  now: string,
): true | string | null {
  if (!until || until <= now) return null
  return until === FOREVER ? true : until
}
