import { seedPeople } from './seed-appliance.ts'

export interface Person {
  readonly id: string
  readonly username: string
}

export interface SeedPlan {
  readonly jwtKey: string
  /** All people, including those of the pairs and of the group. */
  readonly users: number
  readonly pairs: number
  readonly groupSize: number
}

export interface Seeded {
  /** Active accounts: first the pairs' people, then the group's, then those who only connect. */
  readonly users: readonly Person[]
  /** Direct conversations between two friends; nobody is in two of them. */
  readonly pairs: readonly { conversationId: string; fromId: string; toId: string }[]
  /** One group of `groupSize` members, its owner first; none of them is in a pair. */
  readonly group: { readonly conversationId: string; readonly memberIds: readonly string[] }
}

/** Creates a data directory and its people through the services; closes the store at the end. */
export async function seed(dataDir: string, plan: SeedPlan): Promise<Seeded> {
  const seeded = await seedPeople(dataDir, plan)
  const { users, pairs, group } = seeded
  if (users.length < plan.users || pairs.length < plan.pairs) {
    throw new Error(`seeded ${users.length} people and ${pairs.length} pairs, too few`)
  }
  if (group.memberIds.length !== plan.groupSize) {
    throw new Error(`seeded a group of ${group.memberIds.length}, wanted ${plan.groupSize}`)
  }
  return seeded
}
