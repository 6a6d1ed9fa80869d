import type { Db } from '../../db/database.ts'
import { listStanding } from './store.ts'

/** What legal holds exempt from deletion. */
export interface Held {
  readonly userIds: readonly string[]
  readonly conversationIds: readonly string[]
  readonly audit: boolean
}

export async function findHeld(db: Db): Promise<Held> {
  const rows = await listStanding(db)
  const idsOf = (type: string) =>
    rows.filter((row) => row.subject_type === type).map((row) => row.subject_id)
  return {
    userIds: idsOf('user'),
    conversationIds: idsOf('conversation'),
    audit: idsOf('audit').length > 0,
  }
}

export async function isUserHeld(db: Db, userId: string): Promise<boolean> {
  return (await findHeld(db)).userIds.includes(userId)
}
