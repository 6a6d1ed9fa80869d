import { type App, createApp } from '../src/app/create-app.ts'
import { loadConfig } from '../src/config/load.ts'
import type { Ctx } from '../src/context.ts'
import { getMe, register } from '../src/features/accounts/service.ts'
import { approveAccount } from '../src/features/admin/accounts.ts'
import { createConversation } from '../src/features/conversations/service.ts'
import { acceptFriendRequest, sendFriendRequest } from '../src/features/friends/service.ts'
import { createInvitation } from '../src/features/invites/service.ts'
import { createLog } from '../src/platform/log.ts'
import { createBcryptHasher } from '../src/platform/password.ts'
import type { Actor, Origin, UserActor } from '../src/policy/actor.ts'
import { DEFAULT_TENANT } from '../src/policy/tenant-id.ts'
import type { Person, Seeded, SeedPlan } from './people.ts'

const CHEAP_WORK_FACTOR = 4
const origin: Origin = { requestId: 'seed', operation: 'bench:seed' }
const operator: Actor = { kind: 'operator', tenantId: DEFAULT_TENANT, origin }
const anonymous: Actor = { kind: 'anonymous', tenantId: DEFAULT_TENANT, origin }

/** Opens a data directory's appliance without a listener. */
export function openAppliance(dataDir: string): Promise<App> {
  const { config } = loadConfig({ dataDir, env: process.env })
  return createApp({
    config,
    log: createLog({ level: 'warn' }),
    purpose: 'bench seed',
    passwords: createBcryptHasher(CHEAP_WORK_FACTOR),
  })
}

/** Fills a new data directory with people, pairs and a group, all through the use cases. */
export async function seedPeople(dataDir: string, plan: SeedPlan): Promise<Seeded> {
  const app = await openAppliance(dataDir)
  try {
    const users = await Promise.all(
      Array.from({ length: plan.users }, (_, index) => createUser(app.ctx, `user_${index}`)),
    )
    const pairs: Seeded['pairs'][number][] = []
    for (let index = 0; index < plan.pairs; index++) {
      const [from, to] = [users[2 * index], users[2 * index + 1]] as [UserActor, UserActor]
      await befriend(app.ctx, from, to)
      const { id } = await createConversation(app.ctx, from, {
        type: 'Dm',
        memberIds: [to.userId],
      })
      pairs.push({ conversationId: id, fromId: from.userId, toId: to.userId })
    }
    const members = users.slice(2 * plan.pairs, 2 * plan.pairs + plan.groupSize)
    const [owner, ...others] = members as [UserActor, ...UserActor[]]
    for (const other of others) await befriend(app.ctx, owner, other)
    const group = await createConversation(app.ctx, owner, {
      type: 'Group',
      name: 'Everyone',
      memberIds: others.map((other) => other.userId),
    })
    return {
      users: users.map((user) => ({ id: user.userId, username: user.username })),
      pairs,
      group: { conversationId: group.id, memberIds: members.map((member) => member.userId) },
    }
  } finally {
    await app.close()
  }
}

export async function createUser(ctx: Ctx, username: string): Promise<UserActor> {
  const { token } = await createInvitation(ctx, operator, {})
  const { userId } = await register(ctx, anonymous, {
    invitationToken: token,
    email: `${username}@example.org`,
    username,
    password: 'password of the bench',
  })
  await approveAccount(ctx, operator, { user: userId })
  return actorOf({ id: userId, username })
}

export function actorOf({ id: userId, username }: Person): UserActor {
  return { kind: 'user', tenantId: DEFAULT_TENANT, userId, username, role: 'member', origin }
}

export async function befriend(ctx: Ctx, a: UserActor, b: UserActor): Promise<void> {
  const { friendKey } = await getMe(ctx, b)
  const { request } = await sendFriendRequest(ctx, a, { friendKey })
  await acceptFriendRequest(ctx, b, { id: request.id })
}
