import type { Composers } from '../../events/compose.ts'
import { readSubject } from './events.ts'
import type { MlsEvent } from './schema.ts'

/** What a reconnecting client is told: the same as live, since the row names everything. */
export const composers = {
  MlsEvent: async (_ctx, reader, events) =>
    events.map(({ audienceId, subjectId }): MlsEvent => {
      const { kind, seq, more } = readSubject(subjectId)
      const convoId = audienceId === reader.userId ? more : audienceId
      return { convoId: kind === 'keyPackages' ? '' : convoId, seq, kind }
    }),
} satisfies Composers<unknown>
