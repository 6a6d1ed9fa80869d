import type { Ctx } from '../../context.ts'
import { type Composers, composeEach, type Reader } from '../../events/compose.ts'
import { findAcquaintances } from './acquaintances.ts'
import { toProfile } from './profile.ts'
import type { Profile } from './schema.ts'
import { listUsersById } from './store.ts'

type Needs = Pick<Ctx, 'db'>

/** Profiles of the people whom the reader may still see. */
async function profilesOf(
  { db }: Needs,
  ids: readonly string[],
  reader: Reader,
): Promise<ReadonlyMap<string, Profile>> {
  const seen = await findAcquaintances(db.read, reader, ids)
  const rows = await listUsersById(db.read, reader.tenantId, ids)
  return new Map(
    rows
      .filter(({ id }) => id === reader.userId || seen.has(id))
      .map((row) => [row.id, toProfile(row)]),
  )
}

export const composers = {
  ProfileChanged: composeEach(profilesOf, (profile) => profile),
} satisfies Composers<Needs>
