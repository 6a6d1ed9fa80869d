import type { Composers } from '../../events/compose.ts'

export const composers = {
  SessionRevoked: async (_ctx, _reader, events) =>
    events.map(({ subjectId }) => ({ sessionId: subjectId })),
} satisfies Composers<unknown>
