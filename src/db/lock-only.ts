import { type RawBuilder, sql } from 'kysely'

/**
 * For `set` in an update that changes nothing and only locks its rows until the transaction ends, so that
 * other transactions wait and then see what this one did: `.set(lockOnly('status'))` gives that column its
 * own value. On PostgreSQL this is what `for update` does, which SQLite lacks, whose transactions run
 * one after another anyway.
 */
export function lockOnly<C extends string>(column: C): Record<C, RawBuilder<never>> {
  return { [column]: sql.ref<never>(column) } as Record<C, RawBuilder<never>>
}
