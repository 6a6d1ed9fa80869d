import type { Composers } from '../../events/compose.ts'

export const composers: Composers<unknown> = {
  SessionRevoked: async (_ctx, _reader, events) =>
    events.map(({ subjectId }) => ({ sessionId: subjectId })),
}
