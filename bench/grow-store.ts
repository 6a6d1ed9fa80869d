import type { Ctx } from '../src/context.ts'
import { createConversation, markRead } from '../src/features/conversations/service.ts'
import { sendMessage } from '../src/features/messages/send.ts'
import type { UserActor } from '../src/policy/actor.ts'
import type { Person, Seeded } from './people.ts'
import { actorOf, befriend, openAppliance } from './seed-appliance.ts'

export interface GrowPlan {
  /** A seeded data directory. */
  readonly dataDir: string
  readonly pairs: Seeded['pairs']
  /** Gets `rooms` conversations with `friend`, all read but for the last few messages. */
  readonly reader: Person
  readonly friend: Person
  readonly rooms: number
  readonly messagesInRooms: number
  /** In all conversations together; those outside the rooms are spread over the pairs. */
  readonly messages: number
}

export interface Grown {
  readonly seconds: number
  /** One of the rooms. */
  readonly room: string
}

/** Messages sent concurrently, so that many share a transaction. */
const TOGETHER = 1024
/** Unread messages in each room. */
const UNREAD = 3
/** 200 characters, as in the DM load. */
const CONTENT = 'a message of some length, as people write them '.repeat(5).slice(0, 200)

interface Line {
  readonly conversationId: string
  readonly sender: UserActor
}

/** Fills the store with messages and their events, all through the use cases. */
export async function growStore(plan: GrowPlan): Promise<Grown> {
  const startedAt = performance.now()
  const app = await openAppliance(plan.dataDir)
  try {
    const { ctx } = app
    const [reader, friend] = [actorOf(plan.reader), actorOf(plan.friend)]
    await befriend(ctx, friend, reader)
    const rooms = await makeRooms(ctx, friend, reader, plan.rooms)
    const pairs = plan.pairs.map(
      ({ conversationId, fromId }): Line => ({
        conversationId,
        sender: actorOf({ id: fromId, username: fromId }),
      }),
    )
    await say(ctx, pairs, plan.messages - plan.messagesInRooms)
    await say(ctx, rooms, plan.messagesInRooms - rooms.length * UNREAD)
    for (const { conversationId } of rooms) await markRead(ctx, reader, { id: conversationId })
    await say(ctx, rooms, rooms.length * UNREAD)
    const room = rooms[0]?.conversationId as string
    return { seconds: (performance.now() - startedAt) / 1000, room }
  } finally {
    await app.close()
  }
}

async function makeRooms(
  ctx: Ctx,
  owner: UserActor,
  member: UserActor,
  count: number,
): Promise<Line[]> {
  const made = Array.from({ length: count }, (_, index) =>
    createConversation(ctx, owner, {
      type: 'Group',
      name: `Room ${index}`,
      memberIds: [member.userId],
    }),
  )
  return (await Promise.all(made)).map(({ id }) => ({ conversationId: id, sender: owner }))
}

/** Sends that many messages, alternating over the lines. */
async function say(ctx: Ctx, lines: readonly Line[], count: number): Promise<void> {
  for (let said = 0; said < count; ) {
    const end = Math.min(said + TOGETHER, count)
    const batch: Promise<unknown>[] = []
    for (; said < end; said++) {
      const { conversationId, sender } = lines[said % lines.length] as Line
      batch.push(sendMessage(ctx, sender, { conversationId, content: `${said} ${CONTENT}` }))
    }
    await Promise.all(batch)
  }
}
