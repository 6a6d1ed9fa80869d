import type { Db, Tx } from '../../../db/database.ts'
import { lockOnly } from '../../../db/lock-only.ts'
import { prepared, preparedForIds, preparedForMany } from '../../../db/prepared.ts'
import type { MlsHandOutRow, MlsKeyPackageRow } from '../../../db/tables.ts'
import { whenGiven } from '../../../db/when-given.ts'

/** Returns false if the package exists already. */
export async function insertKeyPackage(tx: Tx, row: MlsKeyPackageRow): Promise<boolean> {
  const result = await tx
    .insertInto('mls_key_packages')
    .values(row)
    .onConflict((conflict) => conflict.column('ref').doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** Packages that can still be handed out. */
function available(db: Db, now: string) {
  return db
    .selectFrom('mls_key_packages')
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', now)
    .where(({ eb, or }) => or([eb('handed_out_at', 'is', null), eb('last_resort', '=', 1)]))
}

export interface Stock {
  readonly device_id: string
  readonly cipher_suite: string
  readonly last_resort: number
  readonly count: number
}

/** How many packages the people's devices have left, by device, suite and kind. */
export async function countAvailable(
  db: Db,
  userIds: readonly string[],
  now: string,
): Promise<Stock[]> {
  const rows = await available(db, now)
    .where('user_id', 'in', userIds)
    .groupBy(['device_id', 'cipher_suite', 'last_resort'])
    .select(['device_id', 'cipher_suite', 'last_resort'])
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .execute()
  return rows.map((row) => ({ ...row, count: Number(row.count) }))
}

/** How many of a person's packages were used and are still on record. */
export async function countConsumed(
  db: Db,
  userId: string,
  which: { readonly deviceId: string | undefined; readonly cipherSuite: string | undefined },
): Promise<number> {
  const row = await db
    .selectFrom('mls_key_packages')
    .where('user_id', '=', userId)
    .where('consumed_at', 'is not', null)
    .$call(whenGiven(which.deviceId, (query, deviceId) => query.where('device_id', '=', deviceId)))
    .$call(
      whenGiven(which.cipherSuite, (query, cipherSuite) =>
        query.where('cipher_suite', '=', cipherSuite),
      ),
    )
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Locks people's devices against concurrent hand-outs of their packages until the transaction ends. */
export async function lockDevices(tx: Tx, userIds: readonly string[]): Promise<void> {
  await lockByOwner(tx, userIds, {})
}

const lockByOwner = preparedForIds((db, userIds) =>
  db.updateTable('mls_devices').set(lockOnly('user_id')).where('user_id', 'in', userIds),
)

/**
 * The ref of the package to hand out next for each of the people's devices: its oldest, or its last resort
 * if nothing else is left, the owner is not in `drainable`, or the stock is in `closed`.
 */
export async function listNext(
  db: Db,
  which: {
    readonly userIds: readonly string[]
    readonly drainable: readonly string[]
    readonly closed: readonly StockName[]
    readonly cipherSuite: string | undefined
  },
  now: string,
): Promise<string[]> {
  const { userIds, drainable, closed, cipherSuite } = which
  const ranked = available(db, now)
    .where('user_id', 'in', userIds)
    .where(({ and, eb, not, or }) => {
      const isClosed = closed.map(({ device_id, cipher_suite }) =>
        and([eb('device_id', '=', device_id), eb('cipher_suite', '=', cipher_suite)]),
      )
      const isOpen = and([eb('user_id', 'in', drainable), ...isClosed.map(not)])
      return or([eb('last_resort', '=', 1), ...(drainable.length > 0 ? [isOpen] : [])])
    })
    .$call(
      whenGiven(cipherSuite, (query, cipherSuite) => query.where('cipher_suite', '=', cipherSuite)),
    )
    .select('ref')
    .select((eb) =>
      eb.fn
        .agg<number>('row_number')
        .over((over) =>
          over.partitionBy('device_id').orderBy('last_resort').orderBy('created_at').orderBy('ref'),
        )
        .as('place'),
    )
  const rows = await db
    .selectFrom(ranked.as('ranked'))
    .where('place', '=', 1)
    .select('ref')
    .execute()
  return rows.map(({ ref }) => ref)
}

/** Marks packages as handed out and returns those that were still available. */
export async function takeKeyPackages(
  tx: Tx,
  refs: readonly string[],
  now: string,
): Promise<MlsKeyPackageRow[]> {
  return markHandedOut(tx, refs, { now })
}

const markHandedOut = preparedForIds((db, refs, { now }: { now: string }) =>
  db
    .updateTable('mls_key_packages')
    .set({ handed_out_at: now })
    .where('ref', 'in', refs)
    .where(({ eb, or }) => or([eb('handed_out_at', 'is', null), eb('last_resort', '=', 1)]))
    .returningAll(),
)

const upsertHandOuts = preparedForMany<MlsHandOutRow, never>((db, rows) =>
  db
    .insertInto('mls_hand_outs')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['ref', 'taker_id']).doUpdateSet((eb) => ({ at: eb.ref('excluded.at') })),
    ),
)

export async function insertHandOuts(tx: Tx, rows: readonly MlsHandOutRow[]): Promise<void> {
  await upsertHandOuts(tx, rows)
}

/** How many packages a person has been given since then, including last resorts. */
export async function countGiven(db: Db, takerId: string, since: string): Promise<number> {
  const [row] = await countHandOuts(db, { takerId, since })
  return Number(row?.count)
}

const countHandOuts = prepared((db, params: { takerId: string; since: string }) =>
  db
    .selectFrom('mls_hand_outs')
    .where('taker_id', '=', params.takerId)
    .where('at', '>', params.since)
    .select((eb) => eb.fn.countAll<number>().as('count')),
)

/** How many packages a person has been given since then, excluding last resorts. */
export async function countTaken(db: Db, takerId: string, since: string): Promise<number> {
  const row = await db
    .selectFrom('mls_hand_outs as taken')
    .innerJoin('mls_key_packages as package', 'package.ref', 'taken.ref')
    .where('taken.taker_id', '=', takerId)
    .where('taken.at', '>', since)
    .where('package.last_resort', '=', 0)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** A stock: a device's packages of one suite. */
export type StockName = Pick<Stock, 'device_id' | 'cipher_suite'>

/**
 * How many packages each taker has been given from these owners' stocks since then, excluding last resorts
 * and what owners took from their own stocks.
 */
export async function countTakenOf(
  db: Db,
  userIds: readonly string[],
  since: string,
): Promise<(StockName & { taker_id: string; count: number })[]> {
  const rows = await db
    .selectFrom('mls_key_packages as package')
    .innerJoin('mls_hand_outs as taken', 'taken.ref', 'package.ref')
    .where('package.user_id', 'in', userIds)
    .where('package.handed_out_at', '>', since)
    .where('package.last_resort', '=', 0)
    .whereRef('taken.taker_id', '!=', 'package.user_id')
    .groupBy(['package.device_id', 'package.cipher_suite', 'taken.taker_id'])
    .select(['package.device_id', 'package.cipher_suite', 'taken.taker_id'])
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .execute()
  return rows.map((row) => ({ ...row, count: Number(row.count) }))
}

/** A package; `taker_id` is null if it was not handed out to the person in question. */
export type UsablePackage = Omit<MlsKeyPackageRow, 'key_package'> & { taker_id: string | null }

/** The packages with these refs that can be used now, in no particular order. */
export async function listUsable(
  db: Db,
  refs: readonly string[],
  takerId: string,
  now: string,
): Promise<UsablePackage[]> {
  return findUsable(db, refs, { takerId, now })
}

const findUsable = preparedForIds((db, refs, { takerId, now }: { takerId: string; now: string }) =>
  db
    .selectFrom('mls_key_packages as package')
    .leftJoin('mls_hand_outs as taken', (join) =>
      join.onRef('taken.ref', '=', 'package.ref').on('taken.taker_id', '=', takerId),
    )
    .innerJoin('mls_devices as device', 'device.id', 'package.device_id')
    .where('package.ref', 'in', refs)
    .where('package.consumed_at', 'is', null)
    .where('package.expires_at', '>', now)
    .where('device.deleted_at', 'is', null)
    .select([
      'package.ref',
      'package.tenant_id',
      'package.user_id',
      'package.device_id',
      'package.cipher_suite',
      'package.last_resort',
      'package.created_at',
      'package.expires_at',
      'package.handed_out_at',
      'package.consumed_at',
      'taken.taker_id',
    ]),
)

/** Marks packages as used; last resorts stay usable. */
export async function consumeKeyPackages(
  tx: Tx,
  refs: readonly string[],
  now: string,
): Promise<void> {
  await markConsumed(tx, refs, { now })
}

const markConsumed = preparedForIds((db, refs, { now }: { now: string }) =>
  db
    .updateTable('mls_key_packages')
    .set({ consumed_at: now })
    .where('ref', 'in', refs)
    .where('last_resort', '=', 0),
)

/** The refs of a device's packages that can still be handed out. */
export async function listRefsOf(db: Db, deviceId: string, now: string): Promise<string[]> {
  const rows = await available(db, now)
    .where('device_id', '=', deviceId)
    .select('ref')
    .orderBy('ref')
    .execute()
  return rows.map(({ ref }) => ref)
}

export async function deleteKeyPackages(tx: Tx, refs: readonly string[]): Promise<void> {
  if (refs.length === 0) return
  await tx.deleteFrom('mls_hand_outs').where('ref', 'in', refs).execute()
  await tx.deleteFrom('mls_key_packages').where('ref', 'in', refs).execute()
}

/** Deletes all of a device's packages; returns how many of them were unused. */
export async function deleteKeyPackagesOf(tx: Tx, deviceId: string, now: string): Promise<number> {
  const unused = await listRefsOf(tx, deviceId, now)
  const rows = await tx
    .selectFrom('mls_key_packages')
    .select('ref')
    .where('device_id', '=', deviceId)
    .execute()
  await deleteKeyPackages(
    tx,
    rows.map(({ ref }) => ref),
  )
  return unused.length
}

/** Deletes up to `most` packages that expired or were used before these times; returns how many. */
export async function deleteOldKeyPackages(
  tx: Tx,
  before: { readonly expired: string; readonly consumed: string },
  most: number,
): Promise<number> {
  const rows = await tx
    .selectFrom('mls_key_packages')
    .select('ref')
    .where(({ eb, or }) =>
      or([eb('expires_at', '<', before.expired), eb('consumed_at', '<', before.consumed)]),
    )
    .limit(most)
    .execute()
  await deleteKeyPackages(
    tx,
    rows.map(({ ref }) => ref),
  )
  return rows.length
}
