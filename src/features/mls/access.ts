import type { Db } from '../../db/database.ts'
import type { MlsMemberRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { mlsErrors } from './errors.ts'
import { type Convo, findConvo } from './store/convos.ts'
import { findMember } from './store/members.ts'

export { encryptedEventsFor } from './store/events.ts'
export { listConvoDevices, listConvoIds } from './store/members.ts'

export interface Membership {
  readonly convo: Convo
  readonly member: MlsMemberRow
}

/** The conversation and the caller's current membership; throws `ConvoNotFound` or `NotMember`. */
export async function requireMember(db: Db, me: UserActor, convoId: string): Promise<Membership> {
  const convo = await findConvo(db, me.tenantId, convoId)
  if (!convo) throw new AppError(mlsErrors.convoNotFound)
  return { convo, member: await requireMembership(db, me, convo) }
}

/** The same for a conversation that was loaded before, for example under its lock. */
export async function requireMembership(
  db: Db,
  me: UserActor,
  convo: Convo,
): Promise<MlsMemberRow> {
  const member = await findMember(db, convo.id, me.userId)
  if (!member || member.left_at !== null) throw refuse(mlsErrors.notMember, convo)
  return member
}

export function requireAdmin({ convo, member }: Membership): void {
  if (member.is_admin !== 1) throw refuse(mlsErrors.notAdmin, convo)
}

function refuse(definition: typeof mlsErrors.notMember | typeof mlsErrors.notAdmin, convo: Convo) {
  return new AppError(
    definition,
    {},
    { audit: { reason: definition.code, targetType: 'mls_convo', targetId: convo.id } },
  )
}

/** Whether an event is an application message, for which devices are woken by push. */
export function isEncryptedMessage(event: {
  readonly name: string
  readonly subject_id: string
}): boolean {
  return event.name === 'MlsEvent' && event.subject_id.startsWith('app ')
}
