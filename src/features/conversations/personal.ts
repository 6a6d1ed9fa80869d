import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { type Person, type PersonalData, partOf } from '../../db/personal-data.ts'
import { appendEvents } from '../../events/append.ts'
import { roleChanged } from './events.ts'
import { endMembership, mayOwn } from './members.ts'
import { listMembers, listMemberships, lockConversation, updateMember } from './store.ts'

type ListedMember = Awaited<ReturnType<typeof listMembers>>[number]

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
  const group = await lockConversation(tx, tenantId, id)
  const members = await listMembers(tx, id)
  const own = members.find((member) => member.user_id === userId)
  // Somebody else removed the person at this moment.
  if (!group || !own) return
  const others = members.filter((member) => member.user_id !== userId)
  await endMembership(ctx, tx, group, userId, others.length === 0)
  const heir = heirAmong(others)
  if (own.role !== 'Owner' || !heir) return
  await updateMember(tx, id, heir.user_id, { role: 'Owner' })
  await appendEvents(ctx, tx, [roleChanged(tenantId, id, heir.user_id, 'Owner')])
}

/**
 * A group without an owner could never be changed: the longest-standing admin, or else member, takes over,
 * and an account that could not hand it on only if there is no other.
 */
function heirAmong(members: readonly ListedMember[]): ListedMember | undefined {
  const able = members.filter(({ account_role: role, account_status: status }) =>
    mayOwn({ role, status }),
  )
  return able.find(({ role }) => role === 'Admin') ?? able[0] ?? members[0]
}
