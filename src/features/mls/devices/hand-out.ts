import type { Ctx } from '../../../context.ts'
import type { Tx } from '../../../db/database.ts'
import type { MlsKeyPackageRow, UserRow } from '../../../db/tables.ts'
import { appendEvents } from '../../../events/append.ts'
import { HOUR, toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../../policy/actor.ts'
import { accountsOf, didOf } from '../../atproto/service.ts'
import { blocksAmong, friendsAmong } from '../../friends/access.ts'
import { mlsErrors } from '../errors.ts'
import { keyPackagesEvent } from '../events.ts'
import {
  countAvailable,
  countGiven,
  countTaken,
  countTakenOf,
  insertHandOuts,
  listNext,
  lockDevices,
  type StockName,
  takeKeyPackages,
} from '../store/key-packages.ts'
import { listCompanions } from '../store/members.ts'
import { listOptedOut } from '../store/opt-outs.ts'
import { CIPHER_SUITES } from '../wire/mls-library.ts'
import { LOW_STOCK } from './inventory.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'bus'>

/**
 * How many of a device's packages of one suite one caller, and all callers together, may take per hour;
 * after that the last resort is handed out. A device keeps twenty in stock, so that callers cannot use
 * them up before it has heard that they run low.
 */
const MAX_BY_ONE = 8
const MAX_BY_ALL = 16
/** How many packages one caller may take per hour from all people together. */
const MAX_OF_ALL = 2000
const WINDOW = HOUR

export interface HandedOut {
  readonly did: string
  readonly keyPackage: string
  readonly keyPackageHash: string
  readonly cipherSuite: string
  readonly deviceId: string
}

/**
 * Hands out one key package of each of the people's devices; no package goes to two callers, except a last
 * resort, which is used if nothing else is left. People who opted out, have a block with the caller, or are
 * neither their friends nor in a common conversation are reported as missing, as if they had no packages.
 */
export async function getKeyPackages(
  ctx: Needs,
  actor: Actor,
  input: { readonly dids: readonly string[]; readonly cipherSuite?: string },
): Promise<{ keyPackages: HandedOut[]; missing: string[] }> {
  const me = requireUser(actor)
  const { cipherSuite } = input
  if (cipherSuite !== undefined && !CIPHER_SUITES.has(cipherSuite)) {
    throw new AppError(mlsErrors.invalidCipherSuite)
  }
  const dids = [...new Set(input.dids)]
  const keyPackages = await ctx.db.transaction(async (tx) => {
    const reachable = await listReachable(ctx, tx, me, dids)
    const taken = await take(ctx, tx, me, [...reachable.keys()], cipherSuite)
    await announceLowStock(ctx, tx, taken)
    return taken.map((row) => ({
      did: didOf(ctx, reachable.get(row.user_id) as UserRow),
      keyPackage: row.key_package.toString('base64'),
      keyPackageHash: row.ref,
      cipherSuite: row.cipher_suite,
      deviceId: row.device_id,
    }))
  })
  const found = new Set(keyPackages.map(({ did }) => did))
  return { keyPackages, missing: dids.filter((did) => !found.has(did)) }
}

/** The people whose packages the caller may take, by user id. */
async function listReachable(
  ctx: Needs,
  tx: Tx,
  me: UserActor,
  dids: readonly string[],
): Promise<ReadonlyMap<string, UserRow>> {
  const accounts = [...(await accountsOf(ctx, tx, me.tenantId, dids)).values()]
  const ids = accounts.map(({ id }) => id)
  if (ids.length === 0) return new Map()
  const friends = await friendsAmong(tx, me.userId, ids)
  const companions = await listCompanions(tx, me.userId, ids)
  const optedOut = await listOptedOut(tx, ids)
  const blocks = await blocksAmong(tx, [me.userId, ...ids])
  const isBlocked = (id: string) =>
    blocks.some((pair) => pair.includes(me.userId) && pair.includes(id))
  const mayHave = ({ id, status }: UserRow) =>
    status === 'Active' &&
    !optedOut.has(id) &&
    (id === me.userId || ((friends.has(id) || companions.has(id)) && !isBlocked(id)))
  return new Map(accounts.filter(mayHave).map((account) => [account.id, account]))
}

async function take(
  ctx: Needs,
  tx: Tx,
  me: UserActor,
  userIds: readonly string[],
  cipherSuite: string | undefined,
): Promise<MlsKeyPackageRow[]> {
  if (userIds.length === 0) return []
  // Concurrent calls for the same people wait here and then get other packages.
  await lockDevices(tx, userIds)
  const now = toIso(ctx.clock.now())
  const since = toIso(ctx.clock.now() - WINDOW)
  const drainable = await listDrainable(tx, me, userIds, since)
  const closed = await listClosed(tx, me, userIds, since)
  const next = await listNext(tx, { userIds, drainable, closed, cipherSuite }, now)
  const rows = await takeKeyPackages(tx, next, now)
  await insertHandOuts(
    tx,
    rows.map(({ ref }) => ({ ref, taker_id: me.userId, tenant_id: me.tenantId, at: now })),
  )
  return rows
}

/** The people from whom the caller may take packages other than last resorts. */
async function listDrainable(
  tx: Tx,
  me: UserActor,
  userIds: readonly string[],
  since: string,
): Promise<readonly string[]> {
  // This count is fast and includes last resorts, so it is an upper bound of what was taken.
  const given = await countGiven(tx, me.userId, since)
  const total = given < MAX_OF_ALL ? given : await countTaken(tx, me.userId, since)
  return total < MAX_OF_ALL ? userIds : userIds.filter((userId) => userId === me.userId)
}

/** Other people's stocks from which the caller, or all callers together, may take no more for now. */
async function listClosed(
  tx: Tx,
  me: UserActor,
  userIds: readonly string[],
  since: string,
): Promise<StockName[]> {
  const others = userIds.filter((userId) => userId !== me.userId)
  if (others.length === 0) return []
  const taken = await countTakenOf(tx, others, since)
  const stocks = Map.groupBy(taken, ({ device_id, cipher_suite }) => `${device_id} ${cipher_suite}`)
  const closed: StockName[] = []
  for (const takers of stocks.values()) {
    const byAll = takers.reduce((sum, { count }) => sum + count, 0)
    const byMe = takers.find(({ taker_id }) => taker_id === me.userId)?.count ?? 0
    if (byMe >= MAX_BY_ONE || byAll >= MAX_BY_ALL) closed.push(...takers.slice(0, 1))
  }
  return closed
}

/** Notifies owners of a stock that is low after packages other than last resorts were taken from it. */
async function announceLowStock(
  ctx: Needs,
  tx: Tx,
  taken: readonly MlsKeyPackageRow[],
): Promise<void> {
  const drained = taken.filter((row) => row.last_resort === 0)
  if (drained.length === 0) return
  const left = await countAvailable(
    tx,
    drained.map((row) => row.user_id),
    toIso(ctx.clock.now()),
  )
  const events = drained.flatMap(({ tenant_id, user_id, device_id: deviceId, cipher_suite }) => {
    const stock = left.find(
      (one) =>
        one.device_id === deviceId && one.cipher_suite === cipher_suite && one.last_resort === 0,
    )
    const available = stock?.count ?? 0
    return available < LOW_STOCK
      ? [keyPackagesEvent(tenant_id, user_id, { deviceId, available })]
      : []
  })
  if (events.length > 0) await appendEvents(ctx, tx, events)
}
