import type { AppEvent } from '../../events/event.ts'

export function sessionRevoked(tenantId: string, userId: string, sessionId: string): AppEvent {
  return {
    tenantId,
    audience: { kind: 'user', id: userId },
    name: 'SessionRevoked',
    subjectId: sessionId,
    payload: { sessionId },
  }
}
