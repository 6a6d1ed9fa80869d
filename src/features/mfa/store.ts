import type { Db, Tx } from '../../db/database.ts'
import type {
  FactorAttemptsRow,
  PasskeyChallengeRow,
  PasskeyRow,
  RecoveryCodeRow,
  TotpSecretRow,
} from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'
import { toIso } from '../../platform/clock.ts'

export async function insertPasskey(tx: Tx, row: PasskeyRow): Promise<void> {
  await tx.insertInto('passkeys').values(row).execute()
}

export async function listPasskeys(db: Db, userId: string): Promise<PasskeyRow[]> {
  return db
    .selectFrom('passkeys')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

export async function findPasskey(db: Db, credentialId: string): Promise<PasskeyRow | undefined> {
  return db
    .selectFrom('passkeys')
    .selectAll()
    .where('credential_id', '=', credentialId)
    .executeTakeFirst()
}

/** Records a use; returns false if the passkey was deleted, or its counter changed, in the meantime. */
export async function usePasskey(
  tx: Tx,
  row: PasskeyRow,
  counter: number,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('passkeys')
    .set({ counter, last_used_at: now })
    .where('id', '=', row.id)
    .where('counter', '=', row.counter)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function deletePasskey(tx: Tx, userId: string, id: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('passkeys')
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

export async function insertChallenge(tx: Tx, row: PasskeyChallengeRow): Promise<void> {
  await tx.insertInto('passkey_challenges').values(row).execute()
}

export async function findChallenge(
  db: Db,
  hash: string,
  now: string,
): Promise<PasskeyChallengeRow | undefined> {
  return db
    .selectFrom('passkey_challenges')
    .selectAll()
    .where('challenge_hash', '=', hash)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/** Deletes the challenge; returns false if another request did, so that an answer counts once. */
export async function takeChallenge(tx: Tx, hash: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('passkey_challenges')
    .where('challenge_hash', '=', hash)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

export async function findTotp(db: Db, userId: string): Promise<TotpSecretRow | undefined> {
  return db.selectFrom('totp_secrets').selectAll().where('user_id', '=', userId).executeTakeFirst()
}

/** Replaces a secret that was never confirmed; keeps a confirmed one and returns false. */
export async function replaceTotp(tx: Tx, row: TotpSecretRow): Promise<boolean> {
  await tx
    .deleteFrom('totp_secrets')
    .where('user_id', '=', row.user_id)
    .where('confirmed_at', 'is', null)
    .execute()
  const result = await tx
    .insertInto('totp_secrets')
    .values(row)
    .onConflict((conflict) => conflict.column('user_id').doNothing())
    .executeTakeFirst()
  return Number(result.numInsertedOrUpdatedRows ?? 0) > 0
}

/** Returns false if a code of this step or a later one was already used. */
export async function useTotpStep(tx: Tx, userId: string, step: number): Promise<boolean> {
  const result = await tx
    .updateTable('totp_secrets')
    .set({ last_step: step })
    .where('user_id', '=', userId)
    .where('last_step', '<', step)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function confirmTotp(tx: Tx, userId: string, now: string): Promise<boolean> {
  const result = await tx
    .updateTable('totp_secrets')
    .set({ confirmed_at: now })
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function deleteTotp(tx: Tx, userId: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('totp_secrets')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

export async function replaceRecoveryCodes(
  tx: Tx,
  userId: string,
  rows: readonly RecoveryCodeRow[],
): Promise<void> {
  await tx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
  if (rows.length > 0)
    await tx
      .insertInto('recovery_codes')
      .values([...rows])
      .execute()
}

export async function hasRecoveryCode(db: Db, userId: string, hash: string): Promise<boolean> {
  const row = await db
    .selectFrom('recovery_codes')
    .select('code_hash')
    .where('user_id', '=', userId)
    .where('code_hash', '=', hash)
    .where('used_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

export async function useRecoveryCode(
  tx: Tx,
  userId: string,
  hash: string,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('recovery_codes')
    .set({ used_at: now })
    .where('user_id', '=', userId)
    .where('code_hash', '=', hash)
    .where('used_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function countRecoveryCodes(db: Db, userId: string): Promise<number> {
  const row = await db
    .selectFrom('recovery_codes')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('user_id', '=', userId)
    .where('used_at', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Earlier than the clock of any transaction, however long that waits for another one's row. */
const NO_WAIT = toIso(0)

/** Counts a try, from zero if the earlier ones have expired. Returns the new count and the previous wait. */
export async function countTry(
  tx: Tx,
  row: Omit<FactorAttemptsRow, 'failures' | 'wait_until'>,
  { now, extend }: { readonly now: string; readonly extend: boolean },
): Promise<Pick<FactorAttemptsRow, 'failures' | 'wait_until'>> {
  await tx
    .deleteFrom('factor_attempts')
    .where('user_id', '=', row.user_id)
    .where('address', '=', row.address)
    .where('forget_at', '<=', now)
    .execute()
  const { failures, wait_until } = await tx
    .insertInto('factor_attempts')
    .values({ ...row, failures: 1, wait_until: NO_WAIT })
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'address']).doUpdateSet((columns) => ({
        failures: columns('factor_attempts.failures', '+', 1),
        ...(extend ? { forget_at: row.forget_at } : {}),
      })),
    )
    .returning(['failures', 'wait_until'])
    .executeTakeFirstOrThrow()
  return { failures: Number(failures), wait_until }
}

/** Takes a try back and ends the wait that it began: the wait begins when the last allowed try is counted. */
export async function uncountTry(tx: Tx, userId: string, address: string): Promise<void> {
  await tx
    .updateTable('factor_attempts')
    .set((columns) => ({ failures: columns('failures', '-', 1), wait_until: NO_WAIT }))
    .where('user_id', '=', userId)
    .where('address', '=', address)
    .where('failures', '>', 0)
    .execute()
}

/** Blocks tries until `wait_until`, and keeps the count until `forget_at`. */
export async function setWait(
  tx: Tx,
  row: Pick<FactorAttemptsRow, 'user_id' | 'address' | 'wait_until' | 'forget_at'>,
): Promise<void> {
  await tx
    .updateTable('factor_attempts')
    .set({ wait_until: row.wait_until, forget_at: row.forget_at })
    .where('user_id', '=', row.user_id)
    .where('address', '=', row.address)
    .execute()
}

/** Deletes the tries counted for one address, or for the whole account. */
export async function deleteAttempts(tx: Tx, userId: string, address?: string): Promise<void> {
  await tx
    .deleteFrom('factor_attempts')
    .where('user_id', '=', userId)
    .$call(whenGiven(address, (query, address) => query.where('address', '=', address)))
    .execute()
}

export async function deletePasskeys(tx: Tx, userId: string): Promise<number> {
  const result = await tx.deleteFrom('passkeys').where('user_id', '=', userId).executeTakeFirst()
  return Number(result.numDeletedRows)
}

/** Deletes expired rows. */
export async function deleteOutdated(tx: Tx, now: string): Promise<void> {
  await tx.deleteFrom('passkey_challenges').where('expires_at', '<', now).execute()
  await tx.deleteFrom('factor_attempts').where('forget_at', '<', now).execute()
}

export async function isTotpKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('totp_secrets')
    .select('user_id')
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  return row !== undefined
}
