import type { Composers } from '../../events/compose.ts'
import { readSubject } from './events.ts'
import type { MlsEvent } from './schema.ts'

/** A reconnecting client gets the same event as live, because the row contains everything. */
export const composers = {
  MlsEvent: async (_ctx, reader, events) =>
    events.map(({ audienceId, subjectId }): MlsEvent => {
      const { kind, seq, more } = readSubject(subjectId)
      const convoId = audienceId === reader.userId ? more : audienceId
      return { convoId: kind === 'keyPackages' ? '' : convoId, seq, kind }
    }),
} satisfies Composers<unknown>
