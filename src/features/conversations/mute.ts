import type { ConversationMemberRow } from '../../db/tables.ts'

/** Later than any other time, and so "for good". */
export const FOREVER = '9999-12-31T23:59:59.999Z'

/** Whether and until when the member has muted the conversation: null when not, or not any more. */
export function mutedOf(
  { muted_until: until }: Pick<ConversationMemberRow, 'muted_until'>,
  now: string,
): true | string | null {
  if (!until || until <= now) return null
  return until === FOREVER ? true : until
}
