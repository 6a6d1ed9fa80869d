import type { AppEvent } from '../../events/event.ts'
import type { Profile } from './schema.ts'

/** A person's visible profile changed: told to those who can see it and to the person's own devices. */
export function profileChanged(
  tenantId: string,
  profile: Profile,
  audience: readonly string[],
): AppEvent[] {
  return audience.map((id) => ({
    tenantId,
    audience: { kind: 'user', id },
    name: 'ProfileChanged',
    subjectId: profile.userId,
    payload: profile,
  }))
}
