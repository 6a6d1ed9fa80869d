import type { AppEvent } from '../../events/event.ts'

export interface Started {
  readonly sessionId: string
  /** The device's name. */
  readonly name: string
  readonly createdAt: string
}

/** A device signed in: the person's other devices are told, in case it was somebody else. */
export function sessionStarted(tenantId: string, userId: string, started: Started): AppEvent {
  return {
    tenantId,
    audience: { kind: 'user', id: userId },
    name: 'SessionStarted',
    subjectId: started.sessionId,
    payload: started,
  }
}

export function sessionRenamed(
  tenantId: string,
  userId: string,
  sessionId: string,
  name: string,
): AppEvent {
  return {
    tenantId,
    audience: { kind: 'user', id: userId },
    name: 'SessionRenamed',
    subjectId: sessionId,
    payload: { sessionId, name },
  }
}

export function sessionRevoked(tenantId: string, userId: string, sessionId: string): AppEvent {
  return {
    tenantId,
    audience: { kind: 'user', id: userId },
    name: 'SessionRevoked',
    subjectId: sessionId,
    payload: { sessionId },
  }
}
