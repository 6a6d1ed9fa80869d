import type { Ctx } from '../../context.ts'
import type { Db } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { listNames, listUsersByDid } from '../accounts/access.ts'

export { admitByInvitation } from './admission.ts'

/** The DID of an account: its own external one, or the one derived from its username on this server. */
export function didOf(
  { config }: Pick<Ctx, 'config'>,
  { did, username }: Pick<UserRow, 'did' | 'username'>,
): string {
  return did ?? config.atproto.localDidPrefix + username.toLowerCase()
}

/** The DIDs of accounts by account id, in one query. */
export async function didsOf(
  ctx: Pick<Ctx, 'config'>,
  db: Db,
  tenantId: string,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await listNames(db, tenantId, [...new Set(userIds)])
  return new Map(rows.map((row) => [row.id, didOf(ctx, row)]))
}

/** The accounts by DID, in one query; DIDs without an account are left out. */
export async function accountsOf(
  { config }: Pick<Ctx, 'config'>,
  db: Db,
  tenantId: string,
  dids: readonly string[],
): Promise<ReadonlyMap<string, UserRow>> {
  if (dids.length === 0) return new Map()
  const { localDidPrefix } = config.atproto
  const isLocal = (did: string) => did.startsWith(localDidPrefix)
  const rows = await listUsersByDid(db, tenantId, {
    dids: dids.filter((did) => !isLocal(did)),
    usernameKeys: dids.filter(isLocal).map((did) => did.slice(localDidPrefix.length)),
  })
  return new Map(rows.map((row) => [didOf({ config }, row), row]))
}
