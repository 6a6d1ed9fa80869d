import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { type Person, type PersonalData, partOf } from '../../db/personal-data.ts'
import { appendEvents } from '../../events/append.ts'
import type { AppEvent } from '../../events/event.ts'
import { toIso } from '../../platform/clock.ts'
import { memberRemoved, roleChanged } from './events.ts'
import { listMembers, listMemberships, lockConversation, updateMember } from './store.ts'

export const conversationData: PersonalData<Ctx> = {
  tables: ['conversations', 'conversation_members'],
  async *collect(ctx, { userId }) {
    yield* partOf('conversations.json', await listMemberships(ctx.db.read, userId))
  },
  /** Leaves every group. Direct conversations stay, since they also belong to the other person. */
  async erase(ctx, tx, person) {
    const memberships = await listMemberships(tx, person.userId)
    const groups = memberships.filter(({ type, left_at }) => type === 'Group' && left_at === null)
    for (const { conversation_id } of groups) await leave(ctx, tx, person, conversation_id)
    return groups.length
  },
}

async function leave(ctx: Ctx, tx: Tx, { tenantId, userId }: Person, id: string): Promise<void> {
  await lockConversation(tx, tenantId, id)
  const members = await listMembers(tx, id)
  const own = members.find((member) => member.user_id === userId)
  const others = members.filter((member) => member.user_id !== userId)
  const events: AppEvent[] = [memberRemoved(tenantId, id, userId)]
  // A group without an owner could never be changed: the longest-standing
  // admin, or else member, takes over.
  const heir = others.find((member) => member.role === 'Admin') ?? others[0]
  if (own?.role === 'Owner' && heir) {
    await updateMember(tx, id, heir.user_id, { role: 'Owner' })
    events.push(roleChanged(tenantId, id, heir.user_id, 'Owner'))
  }
  await updateMember(tx, id, userId, { role: 'Member', left_at: toIso(ctx.clock.now()) })
  await appendEvents(ctx, tx, events)
}
